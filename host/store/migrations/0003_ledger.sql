-- What is under way between a run and its sink, so that another process can finish or forget it.

-- Everything that a sink has begun to write to.
CREATE TABLE artifacts (
    tenant     TEXT NOT NULL,
    load_id    TEXT NOT NULL,
    name       TEXT NOT NULL,
    split      TEXT NOT NULL,
    row_count  BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    -- open, finalized, committed or abandoned
    state      TEXT NOT NULL,
    PRIMARY KEY (tenant, load_id, name),
    FOREIGN KEY (tenant, load_id) REFERENCES run_streams (tenant, load_id)
);

CREATE INDEX artifacts_by_state ON artifacts (tenant, state);

-- A commit that a sink was, or is about to be, asked for. The row goes away in the transaction that records the outcome.
CREATE TABLE commit_intents (
    tenant      TEXT NOT NULL,
    load_id     TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    stream      TEXT NOT NULL,
    -- sluice_core::commit::CommitIntent as JSON
    intent      TEXT NOT NULL,
    -- sluice_core::run::StreamState as JSON: what holds once the load is committed. NULL if it moves no state.
    state_after TEXT,
    -- sluice_core::run::StreamCounts as JSON, before the commit
    counts      TEXT NOT NULL,
    recorded_us BIGINT NOT NULL,
    PRIMARY KEY (tenant, load_id),
    FOREIGN KEY (tenant, load_id) REFERENCES run_streams (tenant, load_id)
);

CREATE INDEX commit_intents_by_pipeline ON commit_intents (tenant, pipeline);
