"""Takes spans over OTLP/HTTP, reads them with OpenTelemetry's own definitions and writes each one to a file as a line of JSON.

It stands behind a real collector, where a backend for traces would be.
"""

import argparse
import gzip
import http.server
import json
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--file", required=True)
arguments = parser.parse_args()
lock = threading.Lock()


def plain(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def lines(request):
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "name": span.name,
                    "kind": Span.SpanKind.Name(span.kind),
                    "begun_us": span.start_time_unix_nano // 1000,
                    "ended_us": span.end_time_unix_nano // 1000,
                    "attributes": plain(span.attributes),
                    "events": [{"name": event.name, "attributes": plain(event.attributes)} for event in span.events],
                    "status": Status.StatusCode.Name(span.status.code),
                    "message": span.status.message,
                    "scope": scope.scope.name,
                    "resource": plain(resource.resource.attributes),
                }


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/traces":
            return self.answer(404, b"")
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        with lock, open(arguments.file, "a", encoding="utf-8") as file:
            for line in lines(request):
                file.write(json.dumps(line) + "\n")
        return self.answer(200, ExportTraceServiceResponse().SerializeToString())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Sink).serve_forever()
