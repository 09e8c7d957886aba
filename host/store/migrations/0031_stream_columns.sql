-- The columns that each stream had when its last load began, so that a change is noticed by the load that brings it.

CREATE TABLE stream_columns (
    tenant   TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    stream   TEXT NOT NULL,
    -- [sluice_core::worker::Column] as JSON
    columns  TEXT NOT NULL,
    PRIMARY KEY (tenant, pipeline, stream)
);

-- [sluice_core::notify::schema::SchemaChange] as JSON: what this load brought
ALTER TABLE run_streams ADD COLUMN schema_changes TEXT;

-- [sluice_core::quality::Finding] as JSON
ALTER TABLE run_streams ADD COLUMN findings TEXT;
