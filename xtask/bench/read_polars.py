"""polars, streaming: a file's rows as typed batches that are counted and dropped, in whatever order they come."""

import json
import os
import sys
import time

import polars

file = sys.argv[1]
store = {name.lower(): value for name, value in os.environ.items() if name.startswith("AWS_")} if "://" in file else None
scans = {
    "csv": lambda: polars.scan_csv(file, try_parse_dates=True, storage_options=store),
    "ndjson": lambda: polars.scan_ndjson(file, storage_options=store),
    "parquet": lambda: polars.scan_parquet(file, storage_options=store),
}
rows = 0


def count(batch):
    global rows
    rows += batch.height


started = time.perf_counter()
scans[file.rsplit(".", 1)[1]]().sink_batches(count, maintain_order=False, engine="streaming")
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))
