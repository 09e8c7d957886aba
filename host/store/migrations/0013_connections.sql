-- Connectors configured for a tenant.

CREATE TABLE connections (
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    -- the connector's name
    connector  TEXT NOT NULL,
    -- JSON, without the secrets
    config     TEXT NOT NULL,
    -- sluice_core::config::Grants as JSON
    grants     TEXT NOT NULL,
    revision   BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    deleted_us BIGINT,
    PRIMARY KEY (tenant, id)
);

CREATE UNIQUE INDEX connections_by_name ON connections (tenant, name) WHERE deleted_us IS NULL;
