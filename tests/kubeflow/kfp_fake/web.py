"""The HTTP around a `FakeServer`, on a free port of this machine."""

import contextlib
import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

from kfp_fake.server import FakeServer, Refusal

#: Seconds that a late answer takes.
LATE = 0.6


def _handler(server: FakeServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            server.requests.append((self.command, url.path))
            fault = server.fault(self.command, url.path)
            status, answer = 200, {}
            if isinstance(fault, int):
                status, answer = fault, {"code": 13, "message": f"injected {fault}", "details": []}
            else:
                try:
                    answer = server.answer(self.command, url.path, query, self.headers, body)
                except Refusal as refusal:
                    status, answer = refusal.status, {"error": str(refusal), "code": 3, "message": str(refusal)}
                if self.command != "GET" and status == 200:
                    server.after_change(self.command, url.path)
            if fault == "lost":
                self.close_connection = True
                return
            if fault == "late":
                time.sleep(LATE)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (BrokenPipeError, ConnectionResetError):  # the client gave up on a late answer
                self.close_connection = True

    return Handler


@contextlib.contextmanager
def serve(state: FakeServer) -> Iterator[None]:
    """Answers at `state.address` until the block ends."""
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    web.daemon_threads = True
    state.address = f"http://127.0.0.1:{web.server_port}"
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield
    finally:
        web.shutdown()
        web.server_close()
