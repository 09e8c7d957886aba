-- Who may run a pipeline, where there is no file to lock.

CREATE TABLE leases (
    tenant     TEXT NOT NULL,
    pipeline   TEXT NOT NULL,
    -- in words, for whoever wants the lease too
    holder     TEXT NOT NULL,
    -- grows with every holder; writes of a run name the one that they were given
    fence      BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (tenant, pipeline)
);
