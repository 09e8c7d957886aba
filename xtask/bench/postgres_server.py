"""Where PostgreSQL is, for the peers that read from it."""

import os

_host, _port, _user, _password, _database = (
    os.environ["SLUICE_TEST_POSTGRES_" + name] for name in ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
)
URI = f"postgresql://{_user}:{_password}@{_host}:{_port}/{_database}?sslmode=disable"
KEYWORDS = f"host={_host} port={_port} user={_user} password={_password} dbname={_database} sslmode=disable"
