"""What doubles of Google's REST APIs share: calls with JSON bodies, and refusals in the words of google.rpc.Status."""

import json
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Refused(Exception):
    def __init__(self, code, status, message):
        super().__init__(message)
        self.code, self.status, self.message = code, status, message


def serve(port, route):
    """Answers with what route(method, path, query, body) returns, for ever."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, code, value):
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle_call(self):
            url = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                query = urllib.parse.parse_qs(url.query)
                self.answer(200, route(self.command, url.path, query, json.loads(body or "{}")))
            except Refused as refused:
                error = {"code": refused.code, "message": refused.message, "status": refused.status}
                self.answer(refused.code, {"error": error})

        do_GET = do_POST = do_PATCH = do_DELETE = handle_call

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
