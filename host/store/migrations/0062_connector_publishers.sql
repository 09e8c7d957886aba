-- Whose key a publisher's connectors must be signed with: the one that was approved first.

CREATE TABLE connector_publishers (
    tenant    TEXT NOT NULL,
    name      TEXT NOT NULL,
    -- Ed25519, PEM
    key_pem   TEXT NOT NULL,
    pinned_us BIGINT NOT NULL,
    pinned_by TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
);
