"""DuckDB as a tool of the bench: carries out one statement and prints the first value of its answer."""

import sys

import duckdb

answer = duckdb.sql(sys.argv[1])
if answer is not None:
    print(answer.fetchone()[0])
