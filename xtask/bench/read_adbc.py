"""ADBC's PostgreSQL driver: Arrow batches; it has no splits of its own, so several connections read ranges of the table."""

from concurrent.futures import ThreadPoolExecutor

import adbc_driver_postgresql.dbapi as adbc
from common import SPLITS, TABLE, measured
from postgres_server import URI


def one(restriction):
    with adbc.connect(URI) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {TABLE} {restriction}")
        return sum(batch.num_rows for batch in cursor.fetch_record_batch())


def ranges():
    if SPLITS == 1:
        return [""]
    with adbc.connect(URI) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_relation_size('{TABLE}') / current_setting('block_size')::bigint")
        pages = cursor.fetchone()[0]
    bounds = [pages * n // SPLITS for n in range(SPLITS)] + [2**32 - 1]
    return [f"WHERE ctid >= '({a},0)' AND ctid < '({b},0)'" for a, b in zip(bounds, bounds[1:])]


def read():
    with ThreadPoolExecutor(SPLITS) as pool:
        return sum(pool.map(one, ranges()))


measured(read)
