// What the author of a Sluice connector in C works with.
//
// `connector.h` is generated from the contract (`wit/`) by `sluice connector build`: it has the verbs that a connector exports, what it
// may call of the host, and their types. This SDK adds what every connector needs on top: errors, the configuration, schemas, rows on
// their way out, lines over TCP, and `discover` and `plan` for sources whose streams are known beforehand.
//
// Memory: what the host hands in is freed by the generated code after the verb; what a verb returns must come from `malloc` and is
// freed there as well. Texts that functions of this file return are the caller's to free. An allocation beyond the instance's memory
// ends the instance, so that nobody looks for null. An instance serves one verb at a time.

#ifndef SLUICE_H
#define SLUICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connector.h"

// The same record under every name that the contract's interfaces give it.
typedef sluice_source_types_error_t sluice_error;

// Kinds of errors; wit/README.md has the table of what the host does with each.
typedef enum {
  SLUICE_CONFIG = SLUICE_SOURCE_TYPES_ERROR_KIND_CONFIG,
  SLUICE_AUTH = SLUICE_SOURCE_TYPES_ERROR_KIND_AUTH,
  SLUICE_PERMISSION = SLUICE_SOURCE_TYPES_ERROR_KIND_PERMISSION,
  SLUICE_NOT_FOUND = SLUICE_SOURCE_TYPES_ERROR_KIND_NOT_FOUND,
  SLUICE_UNSUPPORTED = SLUICE_SOURCE_TYPES_ERROR_KIND_UNSUPPORTED,
  SLUICE_RATE_LIMITED = SLUICE_SOURCE_TYPES_ERROR_KIND_RATE_LIMITED,
  SLUICE_TRANSIENT = SLUICE_SOURCE_TYPES_ERROR_KIND_TRANSIENT,
  SLUICE_PROTOCOL = SLUICE_SOURCE_TYPES_ERROR_KIND_PROTOCOL,
  SLUICE_INTERNAL = SLUICE_SOURCE_TYPES_ERROR_KIND_INTERNAL,
} sluice_kind;

// Says what went wrong, as `printf` does, and returns false: `return sluice_fail(error, SLUICE_PROTOCOL, "…");`.
bool sluice_fail(sluice_error *error, sluice_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Names the configuration's field to blame, as a JSON pointer (`/host`), and returns false.
bool sluice_blame(sluice_error *error, const char *field);

// A copy for the host.
connector_string_t sluice_string(const char *text);

// A copy that ends with a zero byte.
char *sluice_copy(connector_string_t text);

// Whether a text of the host is this one.
bool sluice_is(connector_string_t text, const char *other);

// A field of a flat JSON object: the configuration, or a cursor. Null where there is none, or where it is no text.
char *sluice_json_text(connector_string_t object, const char *field);

// The same of a whole number; false where there is none.
bool sluice_json_integer(connector_string_t object, const char *field, int64_t *value);

// Types of columns.
typedef enum { SLUICE_INT, SLUICE_FLOAT, SLUICE_TEXT, SLUICE_BINARY, SLUICE_BOOL, SLUICE_DATE, SLUICE_TIMESTAMP } sluice_type;

// A column. Dates are days since 1970-01-01, timestamps microseconds since then in UTC.
typedef struct {
  const char *name;
  sluice_type type;
  bool nullable;
} sluice_column;

// The schema of columns as the contract has it: an Arrow IPC message.
sluice_source_types_schema_t sluice_schema(const sluice_column *columns, size_t count);

// A stream that is known beforehand. `key` and `increment` are names of columns or null.
typedef struct {
  const char *id;
  const sluice_column *columns;
  size_t count;
  const char *key;
  const char *increment;
} sluice_stream;

// `discover` for such streams, which stand in the order of their ids.
void sluice_discover(const sluice_stream *streams, size_t count, const exports_sluice_source_source_discover_filter_t *filter,
                     exports_sluice_source_source_discover_page_t *page);

// `plan` for such streams: one split each, whose descriptor says which columns are wanted, and from which state on.
bool sluice_plan(const sluice_stream *streams, size_t count, const exports_sluice_source_source_list_selection_t *selections,
                 exports_sluice_source_source_read_plan_t *plan, sluice_error *error);

// Rows on their way out. A row is given value by value for every column of the stream; those that were not chosen are left out.
typedef struct sluice_rows sluice_rows;

// Declares the stream of a split that `sluice_plan` made. Null if the host refuses.
sluice_rows *sluice_rows_open(const sluice_stream *streams, size_t count, const exports_sluice_source_source_split_t *split,
                              sluice_error *error);
void sluice_rows_close(sluice_rows *rows);

// The stream that is read.
const sluice_stream *sluice_rows_stream(const sluice_rows *rows);

// The state to read from: the last checkpoint, or else what the plan says. `ptr` is null for a read from the beginning.
connector_string_t sluice_rows_from(const sluice_rows *rows, const exports_sluice_source_source_cursor_t *start);

// The next value of the row. Which column it is for is counted; `sluice_row_end` checks that there were enough of their kinds.
void sluice_null(sluice_rows *rows);
void sluice_integer(sluice_rows *rows, int64_t value);
void sluice_number(sluice_rows *rows, double value);
void sluice_flag(sluice_rows *rows, bool value);
void sluice_bytes(sluice_rows *rows, const char *value, size_t length);

// Ends the row. False, with an error, for a row that does not fit.
bool sluice_row_end(sluice_rows *rows, sluice_error *error);

// Whether there is a batch's worth of rows.
bool sluice_rows_full(const sluice_rows *rows);

// Hands the rows over; waits until the host has room.
bool sluice_push(sluice_rows *rows, sluice_error *error);

// States that all that was pushed is complete up to the cursor. Where `go_on` becomes false, return true from `read` now.
bool sluice_checkpoint(sluice_rows *rows, const char *cursor, bool *go_on, sluice_error *error);

// A TCP connection through the host, to one of the manifest's `hosts`.
typedef struct sluice_link sluice_link;

// Connects; with `tls` (which may be null) speaks TLS from the first byte. Null if that fails.
sluice_link *sluice_connect(const char *host, uint16_t port, sluice_source_net_tls_options_t *tls, sluice_error *error);
void sluice_hang_up(sluice_link *link);

// Sends all bytes.
bool sluice_send(sluice_link *link, const char *bytes, size_t length, sluice_error *error);

// Waits for a line and returns it without its end, with a zero byte behind it; it stays until the next call. Null if the connection ends
// before, or if the line has more than `SLUICE_LONGEST_LINE` bytes.
char *sluice_line(sluice_link *link, size_t *length, sluice_error *error);

#define SLUICE_LONGEST_LINE (16u << 20)

#endif
