"""A client of HTTP/1.1 that keeps its connection."""

import asyncio
import re
import time

HEAD = re.compile(rb"HTTP/1\.1 (\d{3})")


class Answer:
    def __init__(self, status=0, headers=None, body=b"", error=""):
        self.status, self.headers, self.body, self.error = status, headers or {}, body, error
        self.seconds = 0.0


class Client:
    def __init__(self, port, patience):
        self.port, self.patience = port, patience
        self.writer = None

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None

    async def ask(self, data, has_body=True):
        """One request, as bytes. An answer always: status 0 where none came. A connection that was
        closed while it was idle is opened anew: nothing was asked on it."""
        begun = time.monotonic()
        try:
            answer = await asyncio.wait_for(self.exchange(data, has_body), self.patience)
        except asyncio.TimeoutError:
            answer = Answer(error="no answer")
        except (OSError, EOFError, ValueError) as error:
            answer = Answer(error=type(error).__name__)
        answer.seconds = time.monotonic() - begun
        if not answer.status or answer.headers.get("connection") == "close":
            self.close()
        return answer

    async def exchange(self, data, has_body):
        if self.writer and self.reader.at_eof():
            self.close()
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(data)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(HEAD.match(head)[1])
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").lower().split("\r\n")[1:-2])
        if not has_body or status in (204, 304):
            return Answer(status, headers)
        if "content-length" in headers:
            return Answer(status, headers, await self.reader.readexactly(int(headers["content-length"])))
        body = await self.reader.read()  # to the end of the connection
        self.close()
        return Answer(status, headers, body)


def request(method, path, headers="", body=None):
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: main.test\r\n{headers}{length}\r\n".encode() + (body or b"")
