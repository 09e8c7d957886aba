-- Who did what to which object, from where. Rows are only ever added.

CREATE TABLE audit_log (
    tenant  TEXT NOT NULL,
    -- counts from one in each tenant, without a gap: a row that was taken away shows
    seq     BIGINT NOT NULL,
    at_us   BIGINT NOT NULL,
    -- user ID, token ID, schedule or host
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    address TEXT,
    -- JSON, without secrets
    detail  TEXT NOT NULL,
    PRIMARY KEY (tenant, seq)
);

CREATE TABLE audit_heads (
    tenant TEXT NOT NULL PRIMARY KEY,
    seq    BIGINT NOT NULL
);
