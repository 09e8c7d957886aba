-- Pipelines that somebody is still setting up. Only who began one sees it.

CREATE TABLE drafts (
    tenant          TEXT NOT NULL REFERENCES tenants (id),
    -- once it is finished, the id of the connection that it makes: its secrets are sealed for that
    id              TEXT NOT NULL,
    -- who began it, in the words of the audit log: `user ID`, or `token ID` of a service
    owner           TEXT NOT NULL,
    -- JSON, without the secrets
    content         TEXT NOT NULL,
    -- grows when what it reads from changes
    source_revision BIGINT NOT NULL,
    revision        BIGINT NOT NULL,
    created_us      BIGINT NOT NULL,
    updated_us      BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX drafts_by_owner ON drafts (tenant, owner, id);

CREATE INDEX drafts_by_age ON drafts (updated_us);

-- As connection_secrets.
CREATE TABLE draft_secrets (
    tenant     TEXT NOT NULL,
    draft_id   TEXT NOT NULL,
    -- JSON pointer into the configuration
    field      TEXT NOT NULL,
    -- one of the two
    sealed     BYTEA,
    reference  TEXT,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (tenant, draft_id, field),
    FOREIGN KEY (tenant, draft_id) REFERENCES drafts (tenant, id)
);
