-- Which pipelines run by themselves, and when the next moment of each comes due.

CREATE TABLE schedules (
    tenant      TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    -- sluice_core::schedule::Schedule as JSON, of the pipeline's newest revision
    schedule    TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    connection  TEXT NOT NULL,
    -- up to when every moment has been decided about
    decided_us  BIGINT NOT NULL,
    -- NULL if nothing is to come
    next_due_us BIGINT,
    PRIMARY KEY (tenant, pipeline)
);

CREATE INDEX schedules_by_due ON schedules (next_due_us);
