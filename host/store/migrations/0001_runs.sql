-- Runs, and what became of every row of every stream in them.
--
-- SQL in this folder keeps to what SQLite and PostgreSQL both take: TEXT, BIGINT, no defaults that compute. Times are
-- microseconds since 1970-01-01T00:00:00Z. Every key begins with the tenant.

CREATE TABLE runs (
    tenant               TEXT NOT NULL,
    id                   TEXT NOT NULL,
    pipeline             TEXT NOT NULL,
    -- running, succeeded, failed or stopped
    state                TEXT NOT NULL,
    connector            TEXT NOT NULL,
    connector_digest     TEXT NOT NULL,
    contract             TEXT NOT NULL,
    pipeline_fingerprint TEXT NOT NULL,
    started_us           BIGINT NOT NULL,
    ended_us             BIGINT,
    -- the error as JSON, if it failed
    error                TEXT,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX runs_by_pipeline ON runs (tenant, pipeline, started_us);

-- One row for each load: one stream of one run on its way into one table.
CREATE TABLE run_streams (
    tenant           TEXT NOT NULL,
    load_id          TEXT NOT NULL,
    run_id           TEXT NOT NULL,
    pipeline         TEXT NOT NULL,
    stream           TEXT NOT NULL,
    dataset_name     TEXT NOT NULL,
    table_name       TEXT NOT NULL,
    -- running, committed, failed or stopped
    state            TEXT NOT NULL,
    rows_read        BIGINT NOT NULL,
    rows_quarantined BIGINT NOT NULL,
    values_nulled    BIGINT NOT NULL,
    rows_sent        BIGINT NOT NULL,
    rows_finalized   BIGINT NOT NULL,
    rows_committed   BIGINT NOT NULL,
    bytes_read       BIGINT NOT NULL,
    -- the sink's own words for the commit
    commit_reference TEXT,
    error            TEXT,
    started_us       BIGINT NOT NULL,
    ended_us         BIGINT,
    PRIMARY KEY (tenant, load_id),
    FOREIGN KEY (tenant, run_id) REFERENCES runs (tenant, id)
);

CREATE INDEX run_streams_by_run ON run_streams (tenant, run_id);
