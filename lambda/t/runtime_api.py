"""A Lambda Runtime API to test against: what it answers, and how it fails, is up to the test."""
import http.server
import itertools
import queue
import socket
import threading

PREFIX = "/2018-06-01/runtime/"


class RuntimeApi:
    """`next` gives what was put into `script`, one after the other; `outcomes` has what was posted,
    as (path below runtime/, body, headers)."""

    def __init__(self, port):
        self.script, self.outcomes = queue.Queue(), queue.Queue()
        self.connections, self.asked = 0, 0
        self.drops = 0  # posts that are to be left without an answer
        self._ids = itertools.count(1)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.api = self
        self.address = f"127.0.0.1:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def invoke(self, event):
        """The outcome of one invocation: (response or error, body, headers)."""
        name = f"request-{next(self._ids)}"
        self.script.put(lambda handler: handler.event(name, event))
        path, body, posted = self.outcomes.get(timeout=20)
        assert path.startswith(f"invocation/{name}/"), f"{path} is not about {name}"
        return path.rsplit("/", 1)[1], body, posted

    def close(self):
        self.script.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that is stopped, or a connection that a test has cut


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.api.connections += 1

    def log_message(self, *_):
        pass

    def do_GET(self):
        assert self.path == PREFIX + "invocation/next", self.path
        self.server.api.asked += 1
        step = self.server.api.script.get()
        if step is None:
            self.drop()
        else:
            step(self)

    def do_POST(self):
        api = self.server.api
        body = self.rfile.read(int(self.headers["content-length"]))
        if api.drops > 0:
            api.drops -= 1
            self.drop()
            return
        self.status(202, b'{"status":"OK"}\n')
        api.outcomes.put((self.path.removeprefix(PREFIX), body, dict(self.headers)))

    # what a script may say

    def event(self, name, body, missing=0):
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", name)
        self.send_header("Content-Length", str(len(body) + missing))
        self.end_headers()
        self.wfile.write(body)

    def event_cut_short(self, name, body):
        self.event(name, body, 100)
        self.drop()

    def status(self, code, body=b""):
        self.send_response(code)
        if code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drop(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
