"""polars, streaming: a file's rows as typed batches that are counted and dropped, in whatever order they come."""

import json
import sys
import time

import polars

file = sys.argv[1]
scans = {
    "csv": lambda: polars.scan_csv(file, try_parse_dates=True),
    "ndjson": lambda: polars.scan_ndjson(file),
    "parquet": lambda: polars.scan_parquet(file),
}
rows = 0


def count(batch):
    global rows
    rows += batch.height


started = time.perf_counter()
scans[file.rsplit(".", 1)[1]]().sink_batches(count, maintain_order=False, engine="streaming")
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))
