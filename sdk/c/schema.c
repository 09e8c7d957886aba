// Schemas as Arrow IPC messages: a flatbuffer that is written front to back.

#include <stdlib.h>
#include <string.h>

#include "sluice.h"

typedef struct {
  uint8_t *bytes;
  size_t length, room;
} buffer;

// A slot of a table: a number of so many bytes, or four that will say where something is; none where `width` is 0.
typedef struct {
  size_t width;
  int64_t value;
  size_t place;
} slot;

static size_t reserve(buffer *out, size_t count) {
  size_t at = out->length;
  out->length += count;
  if (out->length > out->room) {
    out->room = 2 * out->length + 256;
    out->bytes = realloc(out->bytes, out->room);
  }
  memset(out->bytes + at, 0, count);
  return at;
}

static void align(buffer *out, size_t multiple, size_t ahead) {
  reserve(out, (multiple - (out->length + ahead) % multiple) % multiple);
}

static void put(buffer *out, size_t at, size_t width, int64_t value) {
  for (size_t byte = 0; byte < width; byte++) out->bytes[at + byte] = (uint8_t)((uint64_t)value >> (8 * byte));
}

// Has a place refer to what is written next, from where it stands.
static void refer(buffer *out, size_t place, size_t at) { put(out, place, 4, (int64_t)(at - place)); }

static size_t text(buffer *out, const char *value) {
  size_t length = strlen(value);
  align(out, 4, 0);
  size_t at = reserve(out, 4 + length + 1);
  put(out, at, 4, (int64_t)length);
  memcpy(out->bytes + at + 4, value, length);
  return at;
}

// A vector of so many references, which are filled in later.
static size_t vector(buffer *out, size_t count) {
  align(out, 4, 0);
  size_t at = reserve(out, 4 + 4 * count);
  put(out, at, 4, (int64_t)count);
  return at;
}

static size_t table(buffer *out, slot *slots, size_t count) {
  size_t offsets[8] = {0}, size = 4, head = 4 + 2 * count;
  for (size_t at = 0; at < count; at++) {
    if (slots[at].width == 0) continue;
    size = (size + slots[at].width - 1) / slots[at].width * slots[at].width;
    offsets[at] = size;
    size += slots[at].width;
  }
  align(out, 8, head);
  size_t vtable = reserve(out, head);
  put(out, vtable, 2, (int64_t)head);
  put(out, vtable + 2, 2, (int64_t)size);
  for (size_t at = 0; at < count; at++) put(out, vtable + 4 + 2 * at, 2, (int64_t)offsets[at]);
  size_t here = reserve(out, size);
  put(out, here, 4, (int64_t)head);
  for (size_t at = 0; at < count; at++) {
    slots[at].place = here + offsets[at];
    if (slots[at].width != 0) put(out, slots[at].place, slots[at].width, slots[at].value);
  }
  return here;
}

// The number of a type in Arrow's flatbuffer, and its table.
static int64_t code(sluice_type type) {
  switch (type) {
    case SLUICE_INT: return 2;
    case SLUICE_FLOAT: return 3;
    case SLUICE_BINARY: return 4;
    case SLUICE_TEXT: return 5;
    case SLUICE_BOOL: return 6;
    case SLUICE_DATE: return 8;
    case SLUICE_TIMESTAMP: return 10;
  }
  return 0;
}

static size_t type_table(buffer *out, sluice_type type) {
  slot whole[] = {{4, 64, 0}, {1, 1, 0}}, real[] = {{2, 2, 0}}, date[] = {{2, 0, 0}}, moment[] = {{2, 2, 0}, {4, 0, 0}};
  if (type == SLUICE_INT) return table(out, whole, 2);
  if (type == SLUICE_FLOAT) return table(out, real, 1);
  if (type == SLUICE_DATE) return table(out, date, 1);
  if (type != SLUICE_TIMESTAMP) return table(out, NULL, 0);
  size_t at = table(out, moment, 2);
  refer(out, moment[1].place, text(out, "UTC"));
  return at;
}

static size_t field(buffer *out, const sluice_column *column) {
  enum { NAME, NULLABLE, CODE, TYPE, DICTIONARY, CHILDREN };
  slot slots[] = {{4, 0, 0}, {1, column->nullable, 0}, {1, code(column->type), 0}, {4, 0, 0}, {0, 0, 0}, {4, 0, 0}};
  size_t at = table(out, slots, 6);
  refer(out, slots[NAME].place, text(out, column->name));
  refer(out, slots[TYPE].place, type_table(out, column->type));
  refer(out, slots[CHILDREN].place, vector(out, 0));
  return at;
}

sluice_source_types_schema_t sluice_schema(const sluice_column *columns, size_t count) {
  enum { PREFIX = 8, VERSION = 4, SCHEMA = 1 };
  buffer out = {0};
  size_t root = reserve(&out, PREFIX + 4) + PREFIX;
  slot message[] = {{2, VERSION, 0}, {1, SCHEMA, 0}, {4, 0, 0}, {8, 0, 0}}, schema[] = {{2, 0, 0}, {4, 0, 0}};
  refer(&out, root, table(&out, message, 4));
  refer(&out, message[2].place, table(&out, schema, 2));
  size_t fields = vector(&out, count);
  refer(&out, schema[1].place, fields);
  for (size_t at = 0; at < count; at++) refer(&out, fields + 4 + 4 * at, field(&out, &columns[at]));
  align(&out, 8, 0);
  put(&out, 0, 4, -1);
  put(&out, 4, 4, (int64_t)(out.length - PREFIX));
  return (sluice_source_types_schema_t){out.bytes, out.length};
}
