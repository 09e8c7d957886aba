-- Who belongs to a tenant, and who is asked to.

CREATE TABLE memberships (
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    user_id    TEXT NOT NULL REFERENCES users (id),
    -- sluice_core::access::Role
    role       TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id)
);

CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE invitations (
    tenant      TEXT NOT NULL REFERENCES tenants (id),
    id          TEXT NOT NULL,
    -- SHA-256 of what the link holds
    token_hash  BYTEA NOT NULL UNIQUE,
    email       TEXT NOT NULL,
    role        TEXT NOT NULL,
    invited_by  TEXT NOT NULL,
    created_us  BIGINT NOT NULL,
    expires_us  BIGINT NOT NULL,
    accepted_us BIGINT,
    PRIMARY KEY (tenant, id)
);
