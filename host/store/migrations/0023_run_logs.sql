-- What workers said while they ran. How much is kept of an attempt is decided by who writes it.

CREATE TABLE run_logs (
    tenant  TEXT NOT NULL,
    request TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    -- counts from one in each attempt
    line    BIGINT NOT NULL,
    at_us   BIGINT NOT NULL,
    -- debug, info, warn or error
    level   TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (tenant, request, attempt, line)
);
