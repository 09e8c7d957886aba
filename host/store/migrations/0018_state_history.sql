-- What people did to the state of streams.

CREATE TABLE state_history (
    tenant       TEXT NOT NULL,
    id           TEXT NOT NULL,
    pipeline     TEXT NOT NULL,
    stream       TEXT NOT NULL,
    changed_us   BIGINT NOT NULL,
    changed_by   TEXT NOT NULL,
    -- sluice_core::run::StreamState as JSON; NULL for none
    state_before TEXT,
    state_after  TEXT,
    -- of stream_state once it was changed
    revision     BIGINT NOT NULL,
    -- 1 if what the stream remembered item by item was forgotten as well
    forgot_items BIGINT NOT NULL,
    -- the change that this one takes back
    undoes       TEXT,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX state_history_by_stream ON state_history (tenant, pipeline, stream, changed_us, id);
