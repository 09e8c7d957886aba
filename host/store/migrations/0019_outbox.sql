-- Notifications on their way out. A row is there before anything is sent, so none is lost with its process.

CREATE TABLE outbox (
    tenant       TEXT NOT NULL,
    id           TEXT NOT NULL,
    kind         TEXT NOT NULL,
    -- JSON, without secrets
    payload      TEXT NOT NULL,
    target       TEXT NOT NULL,
    created_us   BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    -- not before this; while somebody sends it, until when that is believed
    next_us      BIGINT NOT NULL,
    delivered_us BIGINT,
    given_up_us  BIGINT,
    last_error   TEXT,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX outbox_open ON outbox (next_us) WHERE delivered_us IS NULL AND given_up_us IS NULL;
