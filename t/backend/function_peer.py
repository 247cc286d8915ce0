#!/usr/bin/env python3
"""A statistics function that misbehaves on purpose, one way for each path, on a free port of
loopback. Prints the port, serves until its standard input ends."""

import json
import os
import re
import socketserver
import sys
import threading

connections = 0
lock = threading.Lock()


def read_request(stream):
    """Method, path, headers (lower case) and body; None when the client has closed, or does not
    speak HTTP."""
    if stream.peek(1)[:1] != b"P":
        return None
    line = stream.readline().split()
    headers = {}
    while (header := stream.readline().strip()):
        name, _, value = header.partition(b":")
        headers[name.decode().lower()] = value.strip().decode()
    body = stream.read(int(headers.get("content-length", 0)))
    return line[0].decode(), line[1].decode(), headers, body


def faults(method, headers, body):
    """What is wrong with a request of the module."""
    if method != "POST":
        yield "not a POST"
    if headers.get("content-type") != "application/json":
        yield "Content-Type"
    if headers.get("user-agent") != "mod_ratings":
        yield "User-Agent"
    if "expect" in headers or "cookie" in headers or "transfer-encoding" in headers:
        yield "Expect, Cookie or Transfer-Encoding"
    if not re.fullmatch(rb'{"ratings":{"1":\d+,"2":\d+,"3":\d+,"4":\d+,"5":\d+}}', body):
        yield "body"


def statistics(body):
    ratings = json.loads(body)["ratings"]
    total = sum(ratings.values())
    weighted = sum(int(value) * count for value, count in ratings.items())
    return {"avg": weighted / total if total else 0, "totalCount": total}


def answer(status, body, more=""):
    if isinstance(body, str):
        body = body.encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


class Function(socketserver.StreamRequestHandler):
    def setup(self):
        global connections
        super().setup()
        with lock:
            connections += 1

    def handle(self):
        while (request := read_request(self.rfile)) is not None:
            method, path, headers, body = request
            wrong = list(faults(method, headers, body))
            if wrong:
                self.wfile.write(answer(400, ", ".join(wrong)))
                return
            name = "do_" + path.strip("/").partition("?")[0]
            try:
                if not getattr(self, name)(body):
                    return
            except (BrokenPipeError, ConnectionResetError):
                return

    def until_closed(self):
        """Says nothing more until the client has gone."""
        self.wfile.flush()
        self.connection.recv(1)

    def say(self, body, status=200, more=""):
        self.wfile.write(answer(status, body, more))
        return True

    # Each answers whether the connection stays open.

    def do_ok(self, body):
        return self.say(json.dumps(statistics(body)))

    def do_connections(self, body):
        """The average tells how many connections there were: 1.017 for 17."""
        with lock:
            avg = 1 + connections / 1000
        return self.say(json.dumps({"avg": avg, "totalCount": statistics(body)["totalCount"]}))

    def do_chunked(self, body):
        text = json.dumps(statistics(body)).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(len(text)):
            self.wfile.write(b"1\r\n" + text[i:i + 1] + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")
        return True

    def do_close(self, body):
        """Without a word that it will."""
        self.do_ok(body)
        return False

    def do_500(self, _):
        return self.say('{"message":"Internal Server Error"}', 500)

    def do_204(self, _):
        return self.say("", 204)

    def do_html(self, _):
        return self.say("<html><body>It works!</body></html>")

    def do_empty(self, _):
        return self.say("")

    def do_nan(self, body):
        return self.say('{"avg":NaN,"totalCount":%d}' % statistics(body)["totalCount"])

    def do_wrong(self, _):
        return self.say('{"avg":3,"totalCount":1000000}')

    def do_half(self, body):
        """JSON that ends midway, in an answer that is whole."""
        return self.say(json.dumps(statistics(body))[:10])

    def do_cut(self, body):
        """An answer that ends midway."""
        self.wfile.write(answer(200, json.dumps(statistics(body)))[:-5])
        return False

    def do_huge(self, _):
        return self.say(b" " * 20_000_000)

    def do_huge_chunked(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            self.wfile.write(b"1000\r\n" + b" " * 4096 + b"\r\n")

    def do_huge_headers(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X: " + b"x" * 1000 + b"\r\n")

    def do_limit(self, body):
        """As long as may be, with its headers."""
        text = json.dumps(statistics(body))
        room = 65536 - len(answer(200, b" " * 60000)) + 60000
        return self.say(text + " " * (room - len(text)))

    def do_over_limit(self, body):
        text = json.dumps(statistics(body))
        return self.say(text + " " * (65536 - len(text)))

    def do_redirect(self, _):
        return self.say("", 302, "Location: /ok\r\n")

    def do_cookie(self, body):
        """A client that keeps cookies is refused the next time."""
        return self.say(json.dumps(statistics(body)), 200, "Set-Cookie: a=b\r\n")

    def do_no_http(self, _):
        self.wfile.write(b"+PONG\r\n")
        return False

    def do_no_answer(self, _):
        return False

    def do_hang(self, _):
        self.until_closed()

    def do_hang_in_headers(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: ")
        self.until_closed()

    def do_hang_in_body(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        self.until_closed()

    def do_drip(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        gone = threading.Event()
        while not gone.wait(0.02):
            self.wfile.write(b" ")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


with Server(("127.0.0.1", 0), Function) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)
