"""connectorx: the table as Arrow from MariaDB, its own partitioning for several splits."""

import os

import connectorx
from common import SPLITS, TABLE, measured

_host, _port, _user, _password = (os.environ["SLUICE_TEST_MARIADB_" + name] for name in ("HOST", "PORT", "USER", "PASSWORD"))
URI = f"mysql://{_user}:{_password}@{_host}:{_port}/bench"


def read():
    partition = {"partition_on": "l_orderkey", "partition_num": SPLITS} if SPLITS > 1 else {}
    return connectorx.read_sql(URI, f"SELECT * FROM {TABLE}", return_type="arrow", protocol="binary", **partition).num_rows


measured(read)
