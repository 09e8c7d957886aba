-- Secrets of connections, sealed (src/secrets.rs) or kept elsewhere.

-- The keys that secrets of a tenant are sealed with, each wrapped by a master key that is in no database.
CREATE TABLE data_keys (
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    number     BIGINT NOT NULL,
    master_id  TEXT NOT NULL,
    wrapped    BYTEA NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (tenant, number)
);

CREATE TABLE connection_secrets (
    tenant        TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    -- JSON pointer into the configuration
    field         TEXT NOT NULL,
    -- one of the two
    sealed        BYTEA,
    reference     TEXT,
    updated_us    BIGINT NOT NULL,
    PRIMARY KEY (tenant, connection_id, field),
    FOREIGN KEY (tenant, connection_id) REFERENCES connections (tenant, id)
);
