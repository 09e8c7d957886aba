-- What each target was told, and what waits for its digest: what the next decision about it is made from.

CREATE TABLE notices (
    tenant   TEXT NOT NULL,
    -- an address or a webhook
    target   TEXT NOT NULL,
    -- the event's id
    id       TEXT NOT NULL,
    kind     TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    subject  TEXT NOT NULL,
    at_us    BIGINT NOT NULL,
    told_us  BIGINT NOT NULL,
    -- now or digest
    how      TEXT NOT NULL,
    -- when the digest that it waits for is due; NULL once it was told
    due_us   BIGINT,
    -- what the digest says of it, as JSON
    body     TEXT NOT NULL,
    PRIMARY KEY (tenant, target, id)
);

CREATE INDEX notices_by_pipeline ON notices (tenant, target, pipeline, kind, at_us);

CREATE INDEX notices_now ON notices (tenant, target, told_us) WHERE how = 'now';

CREATE INDEX notices_due ON notices (due_us) WHERE due_us IS NOT NULL;
