"""What the peers of `cargo xtask bench` share: where the server is, and how a result is reported."""

import json
import os
import sys
import time

_host, _port, _user, _password, _database = (
    os.environ["SLUICE_TEST_POSTGRES_" + name] for name in ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
)
URI = f"postgresql://{_user}:{_password}@{_host}:{_port}/{_database}?sslmode=disable"
KEYWORDS = f"host={_host} port={_port} user={_user} password={_password} dbname={_database} sslmode=disable"

TABLE = sys.argv[1]
SPLITS = int(sys.argv[2])


def measured(read):
    """Runs `read` and prints its rows and seconds; importing libraries is not counted against the peer."""
    started = time.perf_counter()
    rows = read()
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))
