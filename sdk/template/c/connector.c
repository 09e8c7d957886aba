// Widgets: tables of a server that speaks lines over TCP, in full or by what was added since the last run.
//
// What makes this source what it is stands in `STREAMS`, in `asked` and `row`, and in manifest.json. Change them, and
// `fixtures/server.py` with them.

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice.h"

static const sluice_column ORDERS[] = {
    {"id", SLUICE_INT, false},    {"customer", SLUICE_TEXT, true}, {"weight", SLUICE_FLOAT, true},
    {"paid", SLUICE_BOOL, true}, {"placed_on", SLUICE_DATE, true}, {"updated_at", SLUICE_TIMESTAMP, true},
};
static const sluice_column CUSTOMERS[] = {{"id", SLUICE_INT, false}, {"name", SLUICE_TEXT, true}};

static const sluice_stream STREAMS[] = {
    {"customers", CUSTOMERS, 2, "id", "id"},
    {"orders", ORDERS, 6, "id", "id"},
};
enum { COUNT = sizeof STREAMS / sizeof *STREAMS };

// Asks for something, as `printf` does; whether the answer's first line is no error. The connection is closed otherwise.
static bool ask(sluice_link **link, sluice_kind kind, sluice_error *error, const char *format, ...) {
  if (*link == NULL) return false;
  char *question, *answer = NULL;
  size_t length;
  va_list told;
  va_start(told, format);
  int bytes = vasprintf(&question, format, told);
  va_end(told);
  if (sluice_send(*link, question, (size_t)bytes, error)) answer = sluice_line(*link, &length, error);
  free(question);
  bool good = answer != NULL && strncmp(answer, "ERROR ", 6) != 0;
  if (answer != NULL && !good) sluice_fail(error, kind, "the server answered: %.200s", answer + 6);
  if (good) return true;
  sluice_hang_up(*link);
  *link = NULL;
  return false;
}

// A connection on which the rows of a stream beyond an id come next; null if that fails.
static sluice_link *asked(connector_string_t config, const char *stream, int64_t beyond, sluice_error *error) {
  char *host = sluice_json_text(config, "host"), *password = sluice_json_text(config, "password");
  char *database = sluice_json_text(config, "database");
  int64_t port = 4000;
  sluice_json_integer(config, "port", &port);
  sluice_link *link = NULL;
  if (host != NULL) {
    link = sluice_connect(host, (uint16_t)port, NULL, error);
  } else {
    sluice_fail(error, SLUICE_CONFIG, "the field host is missing");
    sluice_blame(error, "/host");
  }
  if (ask(&link, SLUICE_AUTH, error, "LOGIN %s\n", password == NULL ? "" : password)) {
    ask(&link, SLUICE_NOT_FOUND, error, "READ %s %s %" PRId64 "\n", database == NULL ? "main" : database, stream, beyond);
  }
  free(host);
  free(password);
  free(database);
  return link;
}

// Adds a line: values between tabs, `\N` for null, and `\t`, `\n` and `\\` within texts.
static bool row(sluice_rows *rows, char *line, size_t length, sluice_error *error) {
  const sluice_stream *stream = sluice_rows_stream(rows);
  char *end = line + length;
  for (size_t at = 0; at < stream->count && line <= end; at++) {
    char *to = line, *from = line;
    bool null = end - line >= 2 && line[0] == '\\' && line[1] == 'N';
    while (from < end && *from != '\t') {
      bool escaped = *from == '\\' && from + 1 < end;
      if (escaped) from++;
      *to++ = escaped && *from == 't' ? '\t' : escaped && *from == 'n' ? '\n' : *from;
      from++;
    }
    char *next = from + 1;
    size_t bytes = (size_t)(to - line);
    if (to < end) *to = 0;
    if (null) sluice_null(rows);
    else if (stream->columns[at].type == SLUICE_TEXT) sluice_bytes(rows, line, bytes);
    else if (stream->columns[at].type == SLUICE_FLOAT) sluice_number(rows, strtod(line, NULL));
    else if (stream->columns[at].type == SLUICE_BOOL) sluice_flag(rows, *line == 't');
    else sluice_integer(rows, strtoll(line, NULL, 10));
    line = next;
  }
  return sluice_row_end(rows, error);
}

// Hands over what came, and states up to which id it is complete.
static bool complete(sluice_rows *rows, int64_t id, bool *go_on, sluice_error *error) {
  char cursor[64];
  snprintf(cursor, sizeof cursor, "{\"version\":1,\"id\":%" PRId64 "}", id);
  return sluice_push(rows, error) && sluice_checkpoint(rows, cursor, go_on, error);
}

bool exports_sluice_source_source_check(connector_string_t *config, exports_sluice_source_source_list_check_step_t *ret,
                                        exports_sluice_source_source_error_t *err) {
  sluice_link *link = asked(*config, STREAMS[0].id, INT64_MAX, err);
  if (link == NULL && err->kind == SLUICE_CONFIG) return false;
  bool good = link != NULL;
  exports_sluice_source_source_check_step_t *step = calloc(1, sizeof *step);
  step->name = sluice_string("log in and read");
  step->outcome = good ? EXPORTS_SLUICE_SOURCE_SOURCE_OUTCOME_PASSED : EXPORTS_SLUICE_SOURCE_SOURCE_OUTCOME_FAILED;
  step->detail = good ? sluice_string("the server answers") : err->message;
  step->remedy = sluice_string(good ? "" : "check host, port, password and database: the server must be up and know them");
  *ret = (exports_sluice_source_source_list_check_step_t){step, 1};
  sluice_hang_up(link);
  return true;
}

bool exports_sluice_source_source_discover(connector_string_t *config, exports_sluice_source_source_discover_filter_t *filter,
                                           connector_string_t *maybe_page, exports_sluice_source_source_discover_page_t *ret,
                                           exports_sluice_source_source_error_t *err) {
  sluice_discover(STREAMS, COUNT, filter, ret);
  return true;
}

bool exports_sluice_source_source_plan(connector_string_t *config, exports_sluice_source_source_list_selection_t *selections,
                                       exports_sluice_source_source_plan_hints_t *hints, exports_sluice_source_source_read_plan_t *ret,
                                       exports_sluice_source_source_error_t *err) {
  return sluice_plan(STREAMS, COUNT, selections, ret, err);
}

// Reads the rows that come, in the order of their ids.
static bool read_all(sluice_link *link, sluice_rows *rows, int64_t last, sluice_error *error) {
  bool go_on = true;
  size_t length;
  for (char *line; go_on;) {
    if ((line = sluice_line(link, &length, error)) == NULL) return false;
    if (strcmp(line, "END") == 0) return complete(rows, last, &go_on, error);
    last = strtoll(line, NULL, 10);
    if (!row(rows, line, length, error)) return false;
    if (sluice_rows_full(rows) && !complete(rows, last, &go_on, error)) return false;
  }
  return true;
}

bool exports_sluice_source_source_read(connector_string_t *config, exports_sluice_source_source_split_t *split,
                                       exports_sluice_source_source_cursor_t *maybe_start, exports_sluice_source_source_error_t *err) {
  sluice_rows *rows = sluice_rows_open(STREAMS, COUNT, split, err);
  if (rows == NULL) return false;
  int64_t last = INT64_MIN;
  connector_string_t from = sluice_rows_from(rows, maybe_start);
  bool done = from.ptr == NULL || sluice_json_integer(from, "id", &last);
  if (!done) sluice_fail(err, SLUICE_CONFIG, "the stored state is none of this connector; reset the stream's state to read all rows again");
  sluice_link *link = done ? asked(*config, sluice_rows_stream(rows)->id, last, err) : NULL;
  done = link != NULL && read_all(link, rows, last, err);
  sluice_hang_up(link);
  sluice_rows_close(rows);
  return done;
}

bool exports_sluice_source_source_acknowledge(connector_string_t *config, connector_string_t *stream_id,
                                              exports_sluice_source_source_cursor_t *cursor, exports_sluice_source_source_error_t *err) {
  return true;
}

void exports_sluice_source_source_close(void) {}
