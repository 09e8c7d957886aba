// Lines over TCP.

#include <stdlib.h>
#include <string.h>

#include "sluice.h"

struct sluice_link {
  sluice_source_net_own_connection_t connection;
  // What was received, and how much of it was handed out.
  char *kept;
  size_t length, taken, room;
};

sluice_link *sluice_connect(const char *host, uint16_t port, sluice_source_net_tls_options_t *tls, sluice_error *error) {
  connector_string_t name = {(uint8_t *)host, strlen(host)};
  sluice_source_net_own_connection_t connection;
  if (!sluice_source_net_connect(&name, port, tls, &connection, error)) return NULL;
  sluice_link *link = calloc(1, sizeof *link);
  link->connection = connection;
  return link;
}

void sluice_hang_up(sluice_link *link) {
  if (link == NULL) return;
  sluice_source_net_connection_drop_own(link->connection);
  free(link->kept);
  free(link);
}

bool sluice_send(sluice_link *link, const char *bytes, size_t length, sluice_error *error) {
  connector_list_u8_t all = {(uint8_t *)bytes, length};
  return sluice_source_net_method_connection_write(sluice_source_net_borrow_connection(link->connection), &all, error);
}

// Waits for bytes, and keeps them behind those that are there.
static bool more(sluice_link *link, sluice_error *error) {
  if (link->taken > 0) memmove(link->kept, link->kept + link->taken, link->length - link->taken);
  link->length -= link->taken;
  link->taken = 0;
  if (link->length > SLUICE_LONGEST_LINE) {
    return sluice_fail(error, SLUICE_PROTOCOL, "the server sent a line of more than %u bytes", SLUICE_LONGEST_LINE);
  }
  connector_list_u8_t came;
  if (!sluice_source_net_method_connection_read(sluice_source_net_borrow_connection(link->connection), 1u << 16, &came, error)) {
    return false;
  }
  if (came.len == 0) return sluice_fail(error, SLUICE_TRANSIENT, "the server ended the connection in the middle of its answer");
  if (link->length + came.len > link->room) {
    link->room = 2 * (link->length + came.len);
    link->kept = realloc(link->kept, link->room);
  }
  memcpy(link->kept + link->length, came.ptr, came.len);
  link->length += came.len;
  connector_list_u8_free(&came);
  return true;
}

char *sluice_line(sluice_link *link, size_t *length, sluice_error *error) {
  for (size_t looked_at = 0;;) {
    size_t left = link->length - link->taken;
    char *line = link->kept + link->taken, *end = left > looked_at ? memchr(line + looked_at, '\n', left - looked_at) : NULL;
    if (end != NULL) {
      *end = 0;
      *length = (size_t)(end - line);
      link->taken += *length + 1;
      return line;
    }
    looked_at = left;
    if (!more(link, error)) return NULL;
  }
}
