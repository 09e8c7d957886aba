-- What a tenant's webhooks are signed with, sealed (src/secrets.rs). Made when it is first needed.

CREATE TABLE webhook_secrets (
    tenant     TEXT PRIMARY KEY REFERENCES tenants (id),
    sealed     BYTEA NOT NULL,
    created_us BIGINT NOT NULL
);
