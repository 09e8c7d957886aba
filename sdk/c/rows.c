// Rows on their way out: values column by column, as `push-columns` takes them.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "streams.h"

// About how many bytes a batch has.
enum { TARGET = 1 << 20 };

// A column that was chosen: `values` is a list of the contract's options.
typedef struct {
  const sluice_column *column;
  void *values;
} chosen;

struct sluice_rows {
  const sluice_stream *stream;
  sluice_source_output_channel_t channel;
  connector_string_t state;
  chosen *columns;
  size_t width;
  // Of each column of the stream the place among the chosen ones, and one more than that; 0 for those that were not chosen.
  size_t *places;
  size_t rows, room, pushed, bytes;
  // The column of the next value, and what is wrong with the row.
  size_t at;
  const char *wrong;
  // Texts and binaries, one behind the other.
  char *heap;
  size_t heap_length, heap_room;
};

// Bytes of an option, by the type of its column.
static size_t option(sluice_type type) {
  if (type == SLUICE_BOOL) return sizeof(connector_option_bool_t);
  if (type == SLUICE_FLOAT) return sizeof(connector_option_f64_t);
  if (type == SLUICE_TEXT) return sizeof(connector_option_string_t);
  if (type == SLUICE_BINARY) return sizeof(connector_option_list_u8_t);
  return sizeof(connector_option_s64_t);
}

sluice_rows *sluice_rows_open(const sluice_stream *streams, size_t count, const exports_sluice_source_source_split_t *split,
                              sluice_error *error) {
  const sluice_stream *stream = sluice_stream_named(streams, count, split->id);
  if (stream == NULL) {
    sluice_fail(error, SLUICE_NOT_FOUND, "there is no stream %.*s any more", (int)split->id.len, (char *)split->id.ptr);
    return NULL;
  }
  sluice_rows *rows = calloc(1, sizeof *rows);
  rows->stream = stream;
  rows->places = calloc(stream->count, sizeof *rows->places);
  rows->columns = calloc(stream->count, sizeof *rows->columns);
  sluice_column *columns = calloc(stream->count, sizeof *columns);
  sluice_descriptor descriptor = sluice_descriptor_read(split->descriptor);
  rows->state = descriptor.state;
  for (const sluice_column *column; (column = sluice_descriptor_next(&descriptor, stream)) != NULL && rows->width < stream->count;) {
    columns[rows->width] = *column;
    rows->columns[rows->width++].column = column;
    rows->places[column - stream->columns] = rows->width;
  }
  connector_string_t id = split->id;
  sluice_source_types_schema_t schema = sluice_schema(columns, rows->width);
  bool declared = sluice_source_output_declare(&id, &schema, &rows->channel, error);
  free(schema.ptr);
  free(columns);
  if (declared) return rows;
  sluice_rows_close(rows);
  return NULL;
}

void sluice_rows_close(sluice_rows *rows) {
  if (rows == NULL) return;
  for (size_t at = 0; at < rows->width; at++) free(rows->columns[at].values);
  free(rows->columns);
  free(rows->places);
  free(rows->heap);
  free(rows);
}

const sluice_stream *sluice_rows_stream(const sluice_rows *rows) { return rows->stream; }

connector_string_t sluice_rows_from(const sluice_rows *rows, const exports_sluice_source_source_cursor_t *start) {
  return start == NULL ? rows->state : (connector_string_t){start->ptr, start->len};
}

// Room for one more row.
static void grow(sluice_rows *rows) {
  if (rows->rows < rows->room) return;
  rows->room = 2 * rows->room + 256;
  for (size_t at = 0; at < rows->width; at++) {
    chosen *one = &rows->columns[at];
    one->values = realloc(one->values, rows->room * option(one->column->type));
  }
}

// Where the row's next value goes, as null; null if its column was not chosen, or if it does not fit there.
static void *next(sluice_rows *rows, bool fits) {
  size_t at = rows->at++;
  if (at >= rows->stream->count) return NULL;
  if (!fits) rows->wrong = rows->stream->columns[at].name;
  if (!fits || rows->places[at] == 0) return NULL;
  grow(rows);
  chosen *one = &rows->columns[rows->places[at] - 1];
  size_t bytes = option(one->column->type);
  rows->bytes += bytes;
  return memset((char *)one->values + rows->rows * bytes, 0, bytes);
}

static const sluice_column *due(const sluice_rows *rows) {
  static const sluice_column none = {"", SLUICE_INT, true};
  return rows->at < rows->stream->count ? &rows->stream->columns[rows->at] : &none;
}

void sluice_null(sluice_rows *rows) { next(rows, due(rows)->nullable); }

void sluice_integer(sluice_rows *rows, int64_t value) {
  sluice_type type = due(rows)->type;
  connector_option_s64_t *to = next(rows, type == SLUICE_INT || type == SLUICE_DATE || type == SLUICE_TIMESTAMP);
  if (to != NULL) *to = (connector_option_s64_t){true, value};
}

void sluice_number(sluice_rows *rows, double value) {
  connector_option_f64_t *to = next(rows, due(rows)->type == SLUICE_FLOAT);
  if (to != NULL) *to = (connector_option_f64_t){true, value};
}

void sluice_flag(sluice_rows *rows, bool value) {
  connector_option_bool_t *to = next(rows, due(rows)->type == SLUICE_BOOL);
  if (to != NULL) *to = (connector_option_bool_t){true, value};
}

void sluice_bytes(sluice_rows *rows, const char *value, size_t length) {
  sluice_type type = due(rows)->type;
  // Texts and binaries have the same shape.
  connector_option_string_t *to = next(rows, type == SLUICE_TEXT || type == SLUICE_BINARY);
  if (to == NULL) return;
  if (rows->heap_length + length > rows->heap_room) {
    rows->heap_room = 2 * (rows->heap_length + length) + 4096;
    rows->heap = realloc(rows->heap, rows->heap_room);
  }
  memcpy(rows->heap + rows->heap_length, value, length);
  // The heap may still move: until the push this is a distance and no address.
  *to = (connector_option_string_t){true, {(uint8_t *)rows->heap_length, length}};
  rows->heap_length += length;
  rows->bytes += length;
}

bool sluice_row_end(sluice_rows *rows, sluice_error *error) {
  size_t had = rows->at, due = rows->stream->count;
  rows->at = 0;
  if (had != due) return sluice_fail(error, SLUICE_INTERNAL, "the row has %zu values, and stream %s %zu columns", had, rows->stream->id, due);
  if (rows->wrong != NULL) {
    return sluice_fail(error, SLUICE_PROTOCOL, "stream %s, column %s: the value does not fit its type, or is null where none may be",
                       rows->stream->id, rows->wrong);
  }
  rows->rows++;
  return true;
}

bool sluice_rows_full(const sluice_rows *rows) { return rows->bytes >= TARGET; }

static sluice_source_output_column_t column(const sluice_rows *rows, const chosen *one) {
  sluice_source_output_column_t column = {0};
  size_t count = rows->rows;
  switch (one->column->type) {
    case SLUICE_BOOL:
      column.tag = SLUICE_SOURCE_OUTPUT_COLUMN_BOOLEANS;
      column.val.booleans = (connector_list_option_bool_t){one->values, count};
      break;
    case SLUICE_FLOAT:
      column.tag = SLUICE_SOURCE_OUTPUT_COLUMN_NUMBERS;
      column.val.numbers = (connector_list_option_f64_t){one->values, count};
      break;
    case SLUICE_TEXT:
    case SLUICE_BINARY:
      for (size_t row = 0; row < count; row++) {
        connector_option_string_t *value = (connector_option_string_t *)one->values + row;
        if (value->is_some) value->val.ptr = (uint8_t *)rows->heap + (size_t)value->val.ptr;
      }
      column.tag = one->column->type == SLUICE_TEXT ? SLUICE_SOURCE_OUTPUT_COLUMN_TEXTS : SLUICE_SOURCE_OUTPUT_COLUMN_BINARIES;
      column.val.texts = (connector_list_option_string_t){one->values, count};
      break;
    default:
      column.tag = SLUICE_SOURCE_OUTPUT_COLUMN_INTEGERS;
      column.val.integers = (connector_list_option_s64_t){one->values, count};
  }
  return column;
}

bool sluice_push(sluice_rows *rows, sluice_error *error) {
  if (rows->rows == 0) return true;
  sluice_source_output_column_t *columns = calloc(rows->width, sizeof *columns);
  for (size_t at = 0; at < rows->width; at++) columns[at] = column(rows, &rows->columns[at]);
  sluice_source_output_list_column_t all = {columns, rows->width};
  bool pushed = sluice_source_output_push_columns(rows->channel, &all, error);
  free(columns);
  rows->pushed += rows->rows;
  rows->rows = rows->bytes = rows->heap_length = 0;
  return pushed;
}

bool sluice_checkpoint(sluice_rows *rows, const char *cursor, bool *go_on, sluice_error *error) {
  sluice_source_types_cursor_t upto = {(uint8_t *)cursor, strlen(cursor)};
  sluice_source_output_directive_t directive;
  if (!sluice_source_output_checkpoint(rows->channel, &upto, rows->pushed, &directive, error)) return false;
  *go_on = directive != SLUICE_SOURCE_OUTPUT_DIRECTIVE_STOP;
  return true;
}
