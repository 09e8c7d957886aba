-- Programs that may call the API, as a person or as a service of a tenant.

CREATE TABLE api_tokens (
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    id           TEXT NOT NULL,
    -- whose it is; NULL for a service's
    user_id      TEXT REFERENCES users (id),
    name         TEXT NOT NULL,
    -- SHA-256 of the token
    token_hash   BYTEA NOT NULL UNIQUE,
    role         TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_us   BIGINT NOT NULL,
    expires_us   BIGINT,
    last_used_us BIGINT,
    revoked_us   BIGINT,
    PRIMARY KEY (tenant, id)
);
