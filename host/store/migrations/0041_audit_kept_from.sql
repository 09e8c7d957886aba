-- The first entry of each tenant's log that is kept. Those before it may be forgotten, and no others (0042): it only ever grows.

ALTER TABLE audit_heads ADD COLUMN kept_from BIGINT NOT NULL DEFAULT 1;
