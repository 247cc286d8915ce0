"""The function beside cargo-lambda's Runtime API and function URL"""
import concurrent.futures
import contextlib
import os
import tempfile

from harness import (BOOTSTRAP, CONTRACT, CONTRACT_ANSWER, TOP, Program, check_contract, equal,
                     free_port, request, wait_until)


@contextlib.contextmanager
def setup():
    """cargo-lambda starts, and the function beside it"""
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch, start(port, scratch) as emulator, \
            Program([BOOTSTRAP], {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}/.rt"}) as function:
        wait_until(lambda: is_up(emulator, port), "the function URL answers")
        yield port, function


def start(port, scratch):
    """It looks for sources below its directory, and execs nothing but `$CARGO metadata`."""
    return Program([os.environ.get("CARGO_LAMBDA", "cargo-lambda"), "lambda", "watch",
                    "--only-lambda-apis", "--ignore-changes", "--disable-cors",
                    "-A", "127.0.0.1", "-P", str(port)],
                   {"CARGO": os.path.join(TOP, "build/stack/cargo-metadata")}, cwd=scratch)


def post(port, body, content_type="application/json"):
    return request(port, "POST", "/", body, {"Content-Type": content_type}, seconds=10)


def is_up(emulator, port):
    assert emulator.alive(), "cargo-lambda ended:\n" + emulator.log()
    try:
        return post(port, CONTRACT)[0] == 200
    except OSError:
        return False


def test_contract(fixture):
    """the contract's example is answered to the letter; a bad body is a 400, a good one after it a 200"""
    check_contract(lambda body: post(fixture[0], body))


def test_base64(fixture):
    """a body that arrives in base64 is decoded"""
    equal(post(fixture[0], CONTRACT, "application/x-www-form-urlencoded")[::2],
          (200, CONTRACT_ANSWER))
    equal(post(fixture[0], b"\xff\x00", "application/octet-stream")[0], 400, "status")


def test_method(fixture):
    """GET is a 405 that names POST"""
    status, headers, _ = request(fixture[0], "GET", "/")
    equal((status, headers.get("allow")), (405, "POST"))


def test_many(fixture):
    """a thousand calls by eight clients are all answered, by the one process"""
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: post(fixture[0], CONTRACT)[::2], range(1000)))
    equal(set(answers), {(200, CONTRACT_ANSWER)})
    assert fixture[1].alive()
