-- Connectors that were uploaded. A tenant's own have its id; the operator's, which all tenants see, have the empty one.

-- The bytes, once for everybody who has uploaded them. A row is seen only through a version.
CREATE TABLE connector_components (
    sha256     TEXT NOT NULL PRIMARY KEY,
    bytes      BYTEA NOT NULL,
    created_us BIGINT NOT NULL
);

CREATE TABLE connector_versions (
    tenant      TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    publisher   TEXT NOT NULL,
    -- JSON, as it is in the component
    manifest    TEXT NOT NULL,
    -- what was found when it was looked at: sluice_core::plan::CheckStep as JSON
    report      TEXT NOT NULL,
    -- what was found when it was tried on the tenant's connections, before it took another's place
    trial       TEXT,
    -- the detached signature as JSON, and the key that it is by in PEM
    signature   TEXT,
    signed_by   TEXT,
    -- valid, installed, replaced, rejected or yanked
    state       TEXT NOT NULL,
    uploaded_us BIGINT NOT NULL,
    uploaded_by TEXT NOT NULL,
    decided_us  BIGINT,
    decided_by  TEXT,
    reason      TEXT,
    PRIMARY KEY (tenant, sha256)
);

-- A version is never another component than it was.
CREATE UNIQUE INDEX connector_versions_by_name ON connector_versions (tenant, name, version) WHERE state <> 'rejected';
