-- Pipelines, and every revision that each of them had.

CREATE TABLE pipelines (
    tenant        TEXT NOT NULL REFERENCES tenants (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    -- JSON
    definition    TEXT NOT NULL,
    -- 0 or 1
    enabled       BIGINT NOT NULL,
    revision      BIGINT NOT NULL,
    created_us    BIGINT NOT NULL,
    updated_us    BIGINT NOT NULL,
    updated_by    TEXT NOT NULL,
    deleted_us    BIGINT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, connection_id) REFERENCES connections (tenant, id)
);

CREATE UNIQUE INDEX pipelines_by_name ON pipelines (tenant, name) WHERE deleted_us IS NULL;
CREATE INDEX pipelines_by_connection ON pipelines (tenant, connection_id);

CREATE TABLE pipeline_revisions (
    tenant        TEXT NOT NULL,
    pipeline_id   TEXT NOT NULL,
    revision      BIGINT NOT NULL,
    name          TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    definition    TEXT NOT NULL,
    enabled       BIGINT NOT NULL,
    changed_us    BIGINT NOT NULL,
    changed_by    TEXT NOT NULL,
    PRIMARY KEY (tenant, pipeline_id, revision),
    FOREIGN KEY (tenant, pipeline_id) REFERENCES pipelines (tenant, id)
);
