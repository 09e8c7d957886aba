-- Attempts whose host died or was stopped before they came to an end: `retry.max_attempts` does not count them.

ALTER TABLE run_requests ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;
