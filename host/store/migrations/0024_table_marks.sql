-- Which load's mark stands on a table, as far as the store knows (sluice_core::mark). A table that shows another was loaded by
-- somebody else, or by this store after it was backed up.

CREATE TABLE table_marks (
    tenant        TEXT NOT NULL,
    pipeline      TEXT NOT NULL,
    stream        TEXT NOT NULL,
    dataset_name  TEXT NOT NULL,
    table_name    TEXT NOT NULL,
    -- the load whose mark stood there when the store last knew
    last_load     TEXT,
    -- a load that is, or was, about to put its mark there
    intended_load TEXT,
    -- what was found there instead and refused: a load, or an empty text if there was no mark
    refused_load  TEXT,
    PRIMARY KEY (tenant, pipeline, stream, dataset_name, table_name)
);
