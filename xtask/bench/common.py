"""What the peers of `cargo xtask bench` share: what is read, and how a result is reported."""

import json
import sys
import time

TABLE = sys.argv[1]
SPLITS = int(sys.argv[2])


def measured(read):
    """Runs `read` and prints its rows and seconds; importing libraries is not counted against the peer."""
    started = time.perf_counter()
    rows = read()
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))
