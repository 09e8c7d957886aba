-- Runs as they were asked for: the queue, and what became of each.

CREATE TABLE run_requests (
    tenant           TEXT NOT NULL,
    id               TEXT NOT NULL,
    pipeline         TEXT NOT NULL,
    -- the pipeline's revision that is run
    revision         BIGINT NOT NULL,
    connection       TEXT NOT NULL,
    -- manual, scheduled or backfill
    cause            TEXT NOT NULL,
    -- the moment of the schedule that it is for
    moment_us        BIGINT,
    -- the day that catalog loads stand for, YYYY-MM-DD; NULL for the day on which it starts
    snapshot_date    TEXT,
    -- who asked, in the words of the audit log
    requested_by     TEXT NOT NULL,
    -- queued, running, succeeded, failed, stopped, cancelled or skipped
    state            TEXT NOT NULL,
    -- why it was skipped or cancelled
    reason           TEXT,
    -- higher ones first
    priority         BIGINT NOT NULL,
    not_before_us    BIGINT NOT NULL,
    queued_us        BIGINT NOT NULL,
    started_us       BIGINT,
    ended_us         BIGINT,
    attempts         BIGINT NOT NULL,
    -- the host whose worker runs it, and until when that is believed without hearing from it
    claimed_by       TEXT,
    claim_expires_us BIGINT,
    -- when somebody wanted it to end
    cancel_us        BIGINT,
    -- sluice_core::RunError as JSON: of the last attempt
    error            TEXT,
    PRIMARY KEY (tenant, id)
);

-- Several hosts that see the same moment come due make one run of it.
CREATE UNIQUE INDEX run_requests_by_moment ON run_requests (tenant, pipeline, moment_us);

CREATE INDEX run_requests_by_pipeline ON run_requests (tenant, pipeline, queued_us, id);

CREATE INDEX run_requests_by_time ON run_requests (tenant, queued_us, id);

-- What the queue looks at; the rest is history.
CREATE INDEX run_requests_open ON run_requests (state, not_before_us) WHERE state IN ('queued', 'running');
