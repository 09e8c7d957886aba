-- What streams remember item by item: of each file, say, which version of it was read.

-- A stream's number, so that its name does not stand in each of a million rows.
CREATE TABLE item_streams (
    tenant   TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    stream   TEXT NOT NULL,
    number   BIGINT NOT NULL UNIQUE,
    PRIMARY KEY (tenant, pipeline, stream)
);

-- SQLite knows no BYTEA, and keeps bytes as they are in a column of a type that it does not know.
CREATE TABLE stream_items (
    stream_number BIGINT NOT NULL,
    -- the first 16 bytes of the SHA-256 of the item's key
    item          BYTEA NOT NULL,
    value         BYTEA NOT NULL,
    PRIMARY KEY (stream_number, item)
);

-- What will be remembered once the plan of a load is read to its end. Packed (sluice_core::items), ordered by key.
CREATE TABLE planned_items (
    tenant   TEXT NOT NULL,
    -- the load that made the plan; later runs may carry it out
    load_id  TEXT NOT NULL,
    chunk    BIGINT NOT NULL,
    pipeline TEXT NOT NULL,
    entries  BYTEA NOT NULL,
    PRIMARY KEY (tenant, load_id, chunk)
);

CREATE INDEX planned_items_by_pipeline ON planned_items (tenant, pipeline);

-- sluice_core::run::ItemsAfter as JSON: what is remembered once the load is committed. NULL if nothing is.
ALTER TABLE commit_intents ADD COLUMN items_after TEXT;

-- The load whose planned items belong to what a stopped run left over.
ALTER TABLE stream_state ADD COLUMN planned_by TEXT;
