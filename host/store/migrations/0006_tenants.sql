-- Organisations. Every other table's `tenant` is one of these, or `local` on a host without users.

CREATE TABLE tenants (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    revision   BIGINT NOT NULL,
    created_us BIGINT NOT NULL
);
