// `discover` and `plan` for streams that are known beforehand.
//
// A descriptor is the length of the state as a number and a line's end, the state, and the name of each chosen column with a line's end.

#include "streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const sluice_stream *sluice_stream_named(const sluice_stream *streams, size_t count, connector_string_t id) {
  for (size_t at = 0; at < count; at++) {
    if (sluice_is(id, streams[at].id)) return &streams[at];
  }
  return NULL;
}

static bool contains(const char *id, connector_string_t part) {
  for (; strlen(id) >= part.len; id++) {
    if (strncasecmp(id, (const char *)part.ptr, part.len) == 0) return true;
    if (*id == 0) break;
  }
  return false;
}

static bool wanted(const sluice_stream *stream, const exports_sluice_source_source_discover_filter_t *filter) {
  bool named = filter->ids.len == 0;
  for (size_t at = 0; at < filter->ids.len; at++) named |= sluice_is(filter->ids.ptr[at], stream->id);
  return named && contains(stream->id, filter->contains);
}

static connector_list_string_t one_text(const char *text) {
  connector_list_string_t list = {0};
  if (text == NULL) return list;
  list.ptr = malloc(sizeof *list.ptr);
  list.ptr[0] = sluice_string(text);
  list.len = 1;
  return list;
}

void sluice_discover(const sluice_stream *streams, size_t count, const exports_sluice_source_source_discover_filter_t *filter,
                     exports_sluice_source_source_discover_page_t *page) {
  memset(page, 0, sizeof *page);
  page->streams.ptr = calloc(count, sizeof *page->streams.ptr);
  for (size_t at = 0; at < count; at++) {
    if (!wanted(&streams[at], filter)) continue;
    exports_sluice_source_source_stream_info_t *info = &page->streams.ptr[page->streams.len++];
    info->id = sluice_string(streams[at].id);
    info->kind = EXPORTS_SLUICE_SOURCE_SOURCE_STREAM_KIND_TABLE;
    info->schema = sluice_schema(streams[at].columns, streams[at].count);
    info->primary_key = one_text(streams[at].key);
    info->cursor_candidates = one_text(streams[at].increment);
  }
}

static const sluice_column *named(const sluice_stream *stream, connector_string_t name) {
  for (size_t at = 0; at < stream->count; at++) {
    if (sluice_is(name, stream->columns[at].name)) return &stream->columns[at];
  }
  return NULL;
}

// The columns that were chosen, in their order; null, with an error, where one is none of the stream.
static sluice_column *chosen(const sluice_stream *stream, const exports_sluice_source_source_selection_t *selection, size_t *count,
                             sluice_error *error) {
  *count = selection->columns.len > 0 ? selection->columns.len : stream->count;
  sluice_column *columns = calloc(*count, sizeof *columns);
  for (size_t at = 0; at < *count; at++) {
    connector_string_t name = selection->columns.len > 0 ? selection->columns.ptr[at] : (connector_string_t){0};
    const sluice_column *column = selection->columns.len > 0 ? named(stream, name) : &stream->columns[at];
    if (column == NULL) {
      sluice_fail(error, SLUICE_NOT_FOUND, "stream %s has no column %.*s", stream->id, (int)name.len, (char *)name.ptr);
      free(columns);
      return NULL;
    }
    columns[at] = *column;
  }
  return columns;
}

static connector_list_u8_t descriptor(const sluice_column *columns, size_t count, connector_string_t state) {
  char length[24];
  snprintf(length, sizeof length, "%zu\n", state.len);
  size_t bytes = strlen(length) + state.len;
  for (size_t at = 0; at < count; at++) bytes += strlen(columns[at].name) + 1;
  char *text = malloc(bytes), *to = text;
  to = mempcpy(to, length, strlen(length));
  if (state.len > 0) to = mempcpy(to, state.ptr, state.len);
  for (size_t at = 0; at < count; at++) {
    to = mempcpy(to, columns[at].name, strlen(columns[at].name));
    *to++ = '\n';
  }
  return (connector_list_u8_t){(uint8_t *)text, bytes};
}

bool sluice_plan(const sluice_stream *streams, size_t count, const exports_sluice_source_source_list_selection_t *selections,
                 exports_sluice_source_source_read_plan_t *plan, sluice_error *error) {
  memset(plan, 0, sizeof *plan);
  plan->streams.ptr = calloc(selections->len, sizeof *plan->streams.ptr);
  plan->splits.ptr = calloc(selections->len, sizeof *plan->splits.ptr);
  for (size_t at = 0; at < selections->len; at++) {
    const exports_sluice_source_source_selection_t *selection = &selections->ptr[at];
    const sluice_stream *stream = sluice_stream_named(streams, count, selection->id);
    if (stream == NULL) {
      return sluice_fail(error, SLUICE_NOT_FOUND, "there is no stream %.*s", (int)selection->id.len, (char *)selection->id.ptr);
    }
    size_t width;
    sluice_column *columns = chosen(stream, selection, &width, error);
    if (columns == NULL) return false;
    bool increment = selection->mode.tag == EXPORTS_SLUICE_SOURCE_SOURCE_READ_MODE_INCREMENTAL && selection->state.is_some;
    connector_string_t state = {0};
    if (increment) state = (connector_string_t){selection->state.val.ptr, selection->state.val.len};
    exports_sluice_source_source_stream_plan_t *planned = &plan->streams.ptr[plan->streams.len++];
    planned->id = sluice_string(stream->id);
    planned->schema = sluice_schema(columns, width);
    exports_sluice_source_source_split_t *split = &plan->splits.ptr[plan->splits.len++];
    split->id = sluice_string(stream->id);
    split->stream_ids = one_text(stream->id);
    split->descriptor = descriptor(columns, width, state);
    split->resumable = true;
    free(columns);
  }
  return true;
}

sluice_descriptor sluice_descriptor_read(connector_list_u8_t bytes) {
  const char *text = (const char *)bytes.ptr, *end = text + bytes.len, *line = memchr(text, '\n', bytes.len);
  size_t state = line == NULL ? 0 : strtoul(text, NULL, 10);
  // Not one of ours: no column is chosen, and the host refuses the schema.
  if (line == NULL || state > (size_t)(end - line - 1)) return (sluice_descriptor){{0}, end, end};
  return (sluice_descriptor){{state > 0 ? (uint8_t *)line + 1 : NULL, state}, line + 1 + state, end};
}

const sluice_column *sluice_descriptor_next(sluice_descriptor *descriptor, const sluice_stream *stream) {
  const char *end = memchr(descriptor->rest, '\n', (size_t)(descriptor->end - descriptor->rest));
  if (end == NULL) return NULL;
  connector_string_t name = {(uint8_t *)descriptor->rest, (size_t)(end - descriptor->rest)};
  descriptor->rest = end + 1;
  return named(stream, name);
}
