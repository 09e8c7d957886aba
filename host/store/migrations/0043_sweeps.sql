-- What is forgotten after its time, by one host at a time.

CREATE TABLE sweeps (
    name     TEXT PRIMARY KEY,
    -- nobody else begins before this
    until_us BIGINT NOT NULL,
    -- logs of runs that ended before this are forgotten already
    logs_us  BIGINT NOT NULL
);

-- Whose logs are next.
CREATE INDEX run_requests_by_end ON run_requests (ended_us, tenant, id) WHERE ended_us IS NOT NULL;
