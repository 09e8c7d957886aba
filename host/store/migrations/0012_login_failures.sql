-- How often logging in failed lately, for an address or an account.

CREATE TABLE login_failures (
    throttle_key    TEXT NOT NULL PRIMARY KEY,
    window_start_us BIGINT NOT NULL,
    failures        BIGINT NOT NULL
);
