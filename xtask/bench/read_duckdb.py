"""DuckDB's PostgreSQL scanner: Arrow batches, its own threads for several splits."""

from pathlib import Path

import duckdb
import duckdb_extension_postgres_scanner as package
from common import SPLITS, TABLE, measured
from postgres_server import KEYWORDS

extension = next(Path(package.__file__).parent.rglob("*.duckdb_extension"))
connection = duckdb.connect(config={"threads": SPLITS})
connection.execute(f"LOAD '{extension}'")
connection.execute(f"ATTACH '{KEYWORDS}' AS source (TYPE postgres, READ_ONLY)")


def read():
    batches = connection.execute(f"SELECT * FROM source.public.{TABLE}").to_arrow_reader(100_000)
    return sum(batch.num_rows for batch in batches)


measured(read)
