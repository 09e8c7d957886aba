"""dlt: the table into Parquet files in a folder, with its fastest extraction (Arrow from connectorx) unless asked for rows."""

import os
import sys
import tempfile

import dlt
from common import SPLITS, TABLE, measured
from postgres_server import URI
from dlt.sources.sql_database import sql_table

folder, backend = sys.argv[3], sys.argv[4]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["EXTRACT__WORKERS"] = os.environ["LOAD__WORKERS"] = str(SPLITS)


def read():
    with tempfile.TemporaryDirectory() as state:
        pipeline = dlt.pipeline(
            "bench",
            destination=dlt.destinations.filesystem(bucket_url=f"file://{folder}"),
            dataset_name="bench",
            pipelines_dir=state,
        )
        options = {"backend_kwargs": {"return_type": "arrow"}} if backend == "connectorx" else {}
        source = sql_table(
            credentials=URI.replace("postgresql:", "postgresql+psycopg2:"), table=TABLE, schema="public", backend=backend, chunk_size=100_000, reflection_level="full", **options
        )
        pipeline.run(source, loader_file_format="parquet")
        counts = pipeline.last_trace.last_normalize_info.row_counts
        return counts[TABLE]


measured(read)
