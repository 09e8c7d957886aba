-- Tenants whose runs stay with the version before the one that the operator has installed for all tenants.

CREATE TABLE connector_holds (
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    name       TEXT NOT NULL,
    -- the version that the tenant's runs use, of the operator's
    sha256     TEXT NOT NULL,
    -- the one that they use it instead of: once the operator has installed another, the tenant follows again
    instead_of TEXT NOT NULL,
    since_us   BIGINT NOT NULL,
    -- user ID, token ID or host
    by_whom    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
);
