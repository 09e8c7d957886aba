-- People. They belong to no tenant; memberships say what they may do where.

CREATE TABLE users (
    id            TEXT NOT NULL PRIMARY KEY,
    -- as it was typed
    email         TEXT NOT NULL,
    -- folded to one case: what is unique
    email_key     TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    -- argon2id in PHC form; NULL for who comes in through an identity provider only
    password_hash TEXT,
    revision      BIGINT NOT NULL,
    created_us    BIGINT NOT NULL,
    disabled_us   BIGINT
);
