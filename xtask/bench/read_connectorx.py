"""connectorx: the table as Arrow, its own partitioning for several splits."""

import connectorx
from common import SPLITS, TABLE, measured
from postgres_server import URI


def read():
    partition = {"partition_on": "l_orderkey", "partition_num": SPLITS} if SPLITS > 1 else {}
    return connectorx.read_sql(URI, f"SELECT * FROM {TABLE}", return_type="arrow", protocol="binary", **partition).num_rows


measured(read)
