// Errors, texts, and what of JSON a configuration and a cursor need.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice.h"

bool sluice_fail(sluice_error *error, sluice_kind kind, const char *format, ...) {
  char message[1024];
  va_list told;
  va_start(told, format);
  vsnprintf(message, sizeof message, format, told);
  va_end(told);
  memset(error, 0, sizeof *error);
  error->kind = (uint8_t)kind;
  error->message = sluice_string(message);
  return false;
}

bool sluice_blame(sluice_error *error, const char *field) {
  error->field.is_some = true;
  error->field.val = sluice_string(field);
  return false;
}

connector_string_t sluice_string(const char *text) {
  connector_string_t copy = {malloc(strlen(text) + 1), strlen(text)};
  memcpy(copy.ptr, text, copy.len + 1);
  return copy;
}

char *sluice_copy(connector_string_t text) {
  char *copy = malloc(text.len + 1);
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = 0;
  return copy;
}

bool sluice_is(connector_string_t text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

// JSON is walked over a copy that ends with a zero byte, so that no function below reads beyond it.

static const char *blank(const char *at) { return at + strspn(at, " \t\r\n"); }

static unsigned hex(const char *digits) {
  char four[5] = {0};
  strncpy(four, digits, 4);
  return (unsigned)strtoul(four, NULL, 16);
}

static char *utf8(char *to, unsigned code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3f));
  } else {
    if (code >= 0x10000) {
      *to++ = (char)(0xf0 | code >> 18);
      *to++ = (char)(0x80 | (code >> 12 & 0x3f));
    } else {
      *to++ = (char)(0xe0 | code >> 12);
    }
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  }
  return to;
}

// Reads the text that begins with the quote at `*at`, and goes behind it.
static char *quoted(const char **at) {
  const char *from = *at + 1;
  char *text = malloc(strlen(from) + 1), *to = text;
  while (*from != 0 && *from != '"') {
    if (*from != '\\') {
      *to++ = *from++;
      continue;
    }
    const char *plain = "\"\\/bfnrt", *meant = "\"\\/\b\f\n\r\t", *found = from[1] == 0 ? NULL : strchr(plain, from[1]);
    if (found != NULL) {
      *to++ = meant[found - plain];
      from += 2;
    } else if (from[1] == 'u' && strlen(from) >= 6) {
      unsigned code = hex(from + 2);
      from += 6;
      unsigned low = code >> 10 == 0x36 && strncmp(from, "\\u", 2) == 0 ? hex(from + 2) : 0;
      if (low >> 10 == 0x37) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        from += 6;
      }
      to = utf8(to, code);
    } else {
      break;
    }
  }
  *to = 0;
  *at = *from == '"' ? from + 1 : from;
  return text;
}

// Goes behind a value, whatever is nested in it.
static const char *over(const char *at) {
  int depth = 0;
  do {
    at = blank(at);
    if (*at == '"') {
      free(quoted(&at));
    } else if (*at == '{' || *at == '[') {
      depth++, at++;
    } else if (*at == '}' || *at == ']') {
      depth--, at++;
    } else if (*at != 0) {
      at += *at == ',' || *at == ':' ? 1 : strcspn(at, " \t\r\n,:{}[]\"");
    }
  } while (depth > 0 && *at != 0);
  return at;
}

// Where a member's value begins in the object; null where there is none.
static const char *member(const char *object, const char *field) {
  const char *at = blank(object);
  if (*at++ != '{') return NULL;
  for (at = blank(at); *at == '"'; at = blank(at)) {
    char *name = quoted(&at);
    bool found = strcmp(name, field) == 0;
    free(name);
    at = blank(at);
    if (*at++ != ':') return NULL;
    at = blank(at);
    if (found) return at;
    at = blank(over(at));
    if (*at++ != ',') return NULL;
  }
  return NULL;
}

char *sluice_json_text(connector_string_t object, const char *field) {
  char *copy = sluice_copy(object);
  const char *at = member(copy, field);
  char *text = at != NULL && *at == '"' ? quoted(&at) : NULL;
  free(copy);
  return text;
}

bool sluice_json_integer(connector_string_t object, const char *field, int64_t *value) {
  char *copy = sluice_copy(object), *end;
  const char *at = member(copy, field);
  bool found = at != NULL && (*at == '-' || (*at >= '0' && *at <= '9'));
  if (found) {
    errno = 0;
    *value = strtoll(at, &end, 10);
    found = errno == 0 && *end != '.' && *end != 'e' && *end != 'E';
  }
  free(copy);
  return found;
}
