"""A statistics function whose answers are not to be trusted."""

import json
import re

from plan import close, cut, drip, reset, silence, slow
from relay import Relay

LONG = 200_000  # bytes: beyond what the module takes


def reply(body, status="200 OK", more=""):
    if isinstance(body, str):
        body = body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


async def read_http(reader):
    """Head and body of a request or an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if length:
        return head, await reader.readexactly(int(length[1]))
    if not re.search(rb"\r\ntransfer-encoding: *chunked", head, re.IGNORECASE):
        return head, b""
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return head, body


# ---- lies about an answer, given as its body ----

STATUSES = ["201 Created", "204 No Content", "206 Partial Content", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found",
            "413 Too Large", "429 Too Many Requests", "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Timeout"]
NO_STATISTICS = ["", "{}", "[]", "null", "3", '"x"', "{", '{"avg":3', '{"avg":3}', '{"totalCount":3}', '{"avg":NaN,"totalCount":1}',
                 '{"avg":"3","totalCount":1}', '{"avg":3,"totalCount":"1"}', '{"avg":3,"totalCount":-1}', '{"avg":-1,"totalCount":1}',
                 '{"avg":3,"totalCount":1.5}', '{"avg":1e999,"totalCount":1}', '{"avg":null,"totalCount":null}', '{"avg":3,"avg":4,"totalCount":1}',
                 '{"avg":3,"totalCount":99999999999999999999}', "<html></html>", "\ufeff{}", "[" * 100, '{"avg":[[[3]]],"totalCount":{}}']


def status(rng, body):
    return [("send", reply(body, rng.choice(STATUSES)))]


def no_statistics(rng, _body):
    return [("send", reply(rng.choice(NO_STATISTICS)))]


def contradiction(rng, body):
    """An average and a total that could be of others."""
    truth = json.loads(body)
    avg, total = truth["avg"], truth["totalCount"]
    lies = [(avg + 0.25, total), (avg - 0.25, total), (avg, total + 1), (avg, max(total - 1, 0)), (3, total), (5, total + 7), (0, 0), (1, 1)]
    lies = [lie for lie in lies if abs(lie[0] - avg) > 0.01 or lie[1] != total]
    avg, total = rng.choice(lies)
    return [("send", reply(json.dumps({"avg": avg, "totalCount": total})))]


def redirect(rng, _body):
    return [("send", reply("", rng.choice(["301 Moved", "302 Found", "307 Temporary", "308 Permanent"]), "Location: /\r\n"))]


def long_body(_rng, body):
    return [("send", reply(body + b" " * LONG))]


def long_chunked_body(_rng, body):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [("send", head + (b"%x\r\n%s\r\n" % (1000, b" " * 1000)) * (LONG // 1000) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))]


def long_headers(_rng, body):
    return [("send", reply(body, more="".join(f"X-{i}: {'x' * 1000}\r\n" for i in range(LONG // 1000))))]


def headers_without_end(_rng, _body):
    return [("send", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (LONG // 6)), ("silence",)]


def length_too_great(_rng, body):
    return [("send", reply(body + b" " * 10)[:-10]), ("silence",)]


def length_too_small(_rng, body):
    return [("send", reply(body[:-3]) + body[-3:])]


def answer_too_many(_rng, body):
    return [("send", reply(body) + reply('{"avg":2.5,"totalCount":2}'))]


def interim(_rng, body):
    return [("send", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply(body))]


def chunked(_rng, body):
    pieces = b"".join(b"1\r\n" + body[i:i + 1] + b"\r\n" for i in range(len(body)))
    return [("send", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n")]


def other_members(_rng, body):
    return [("send", reply(json.dumps(dict(json.loads(body), ratings={"1": 9}, more=[1, 2]))))]


def no_http(_rng, _body):
    return [("send", b"+PONG\r\n"), ("close",)]


def of_whole(lie):
    def wrapped(rng, body):
        return lie(rng, reply(body))
    wrapped.__name__ = lie.__name__
    return wrapped


LIES = [status, no_statistics, contradiction, redirect, long_body, long_chunked_body, long_headers, headers_without_end, length_too_great,
        length_too_small, answer_too_many, interim, chunked, other_members, no_http] + [of_whole(lie) for lie in (slow, drip, cut, close, reset, silence)]


class Function(Relay):
    def __init__(self, plan, backend_port):
        super().__init__(plan, backend_port)
        plan.add("lambda", LIES)

    def talk(self, reader, mouth, back_reader, back_writer):
        return (self.converse(reader, mouth, back_reader, back_writer),)

    async def converse(self, reader, mouth, back_reader, back_writer):
        while True:
            head, body = await read_http(reader)
            back_writer.write(head + body)
            head, body = await read_http(back_reader)
            steps = self.plan.lie("lambda", body) if b" 200 " in head[:16] else None
            await mouth.say([("send", reply(body, head[9:head.index(b"\r\n")].decode()))] if steps is None else steps)
