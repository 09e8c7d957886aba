-- A secret that was replaced signs beside the new one for a while, so that receivers can be changed one after another.

-- grows with every change
ALTER TABLE webhook_secrets ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- sealed like the secret itself; NULL if there is none
ALTER TABLE webhook_secrets ADD COLUMN previous BYTEA;

-- until when it signs
ALTER TABLE webhook_secrets ADD COLUMN previous_until_us BIGINT;
