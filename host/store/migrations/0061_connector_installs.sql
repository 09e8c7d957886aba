-- Which version of an uploaded connector runs use, and the one before it.

CREATE TABLE connector_installs (
    tenant   TEXT NOT NULL,
    name     TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    previous TEXT,
    since_us BIGINT NOT NULL,
    -- user ID, token ID, operator or host
    by_whom  TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
);
