-- Requests that may be sent again, and what was answered the first time.

CREATE TABLE idempotency_keys (
    tenant          TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    -- of method, path and body: the same key for something else is a mistake
    fingerprint     BYTEA NOT NULL,
    -- NULL while the first request is at work
    status          BIGINT,
    body            BYTEA,
    expires_us      BIGINT NOT NULL,
    PRIMARY KEY (tenant, idempotency_key)
);

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_us);
