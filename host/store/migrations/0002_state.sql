-- What a pipeline remembers between runs.

CREATE TABLE stream_state (
    tenant         TEXT NOT NULL,
    pipeline       TEXT NOT NULL,
    stream         TEXT NOT NULL,
    -- sluice_core::run::StreamState as JSON
    state          TEXT NOT NULL,
    -- grows by one with every commit that moved it
    revision       BIGINT NOT NULL,
    updated_by_run TEXT NOT NULL,
    updated_us     BIGINT NOT NULL,
    PRIMARY KEY (tenant, pipeline, stream)
);

-- A column keeps the name that it was once given in the sink.
CREATE TABLE column_names (
    tenant      TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    stream      TEXT NOT NULL,
    source_name TEXT NOT NULL,
    sink_name   TEXT NOT NULL,
    PRIMARY KEY (tenant, pipeline, stream, source_name)
);
