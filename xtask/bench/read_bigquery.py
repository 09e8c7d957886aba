"""google-cloud-bigquery-storage: a table as Arrow over the Storage Read API, each stream on a thread, counted and dropped.

Batches are decoded, as everybody who wants a row must, and as our host does.
"""

import concurrent.futures
import json
import os
import sys
import time

import grpc
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, types
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

project, table, streams = os.environ["SLUICE_TEST_BIGQUERY_PROJECT"], sys.argv[1], int(sys.argv[2])
address = os.environ["SLUICE_TEST_BIGQUERY_GRPC"].removeprefix("http://")
options = [("grpc.max_receive_message_length", -1)]
client = BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=grpc.insecure_channel(address, options)))


def read(session, stream):
    return sum(batch.num_rows for batch in batches(client.read_rows(stream.name), session))


def batches(reader, session):
    for page in reader.rows(session).pages:
        yield page.to_arrow()


started = time.perf_counter()
dataset, name = table.split(".")
session = client.create_read_session(
    parent=f"projects/{project}",
    read_session=types.ReadSession(
        table=f"projects/{project}/datasets/{dataset}/tables/{name}", data_format=types.DataFormat.ARROW
    ),
    max_stream_count=streams,
)
with concurrent.futures.ThreadPoolExecutor(streams) as threads:
    rows = sum(threads.map(lambda stream: read(session, stream), session.streams))
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started, "streams": len(session.streams)}))
