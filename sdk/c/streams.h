// What the SDK's files share and no author needs.

#ifndef SLUICE_STREAMS_H
#define SLUICE_STREAMS_H

#include "sluice.h"

// The stream of this id; null where there is none.
const sluice_stream *sluice_stream_named(const sluice_stream *streams, size_t count, connector_string_t id);

// What a split's descriptor says: the state to begin with, and the names of the columns, which are still to be read.
typedef struct {
  connector_string_t state;
  const char *rest, *end;
} sluice_descriptor;

sluice_descriptor sluice_descriptor_read(connector_list_u8_t bytes);

// The next column that was chosen; null behind the last one.
const sluice_column *sluice_descriptor_next(sluice_descriptor *descriptor, const sluice_stream *stream);

#endif
