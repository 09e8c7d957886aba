-- What a tenant has recorded of its connectors: another version must do the same before it takes the installed one's place.

CREATE TABLE connector_recordings (
    tenant    TEXT NOT NULL REFERENCES tenants (id),
    connector TEXT NOT NULL,
    -- unique within the connector; who adds it chooses it
    name      TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    -- the file, as `sluice connector record` writes it
    bytes     BYTEA NOT NULL,
    size      BIGINT NOT NULL,
    -- the version that was recorded, and the digest of its component
    version   TEXT NOT NULL,
    digest    TEXT NOT NULL,
    calls     BIGINT NOT NULL,
    rows_read BIGINT NOT NULL,
    added_us  BIGINT NOT NULL,
    added_by  TEXT NOT NULL,
    PRIMARY KEY (tenant, connector, name)
);
