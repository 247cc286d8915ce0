"""The function against a Runtime API that also fails"""
import base64
import contextlib
import json

from harness import BOOTSTRAP, CONTRACT, CONTRACT_ANSWER, OUT, Program, equal, free_port, wait_until
from runtime_api import RuntimeApi


@contextlib.contextmanager
def setup():
    port = free_port()
    with RuntimeApi(port) as api, function(api.address) as program:
        yield api, program


def function(address, **env):
    return Program([BOOTSTRAP], {"AWS_LAMBDA_RUNTIME_API": address, **env})


def url_event(body=None, method="POST", encoded=False):
    event = {"version": "2.0", "requestContext": {"http": {"method": method}},
             "isBase64Encoded": encoded}
    if body is not None:
        event["body"] = body
    return json.dumps(event).encode()


def check_answers(api):
    kind, body, headers = api.invoke(url_event(CONTRACT.decode()))
    equal(kind, "response")
    equal(headers["Content-Type"], "application/json", "content-type")
    answer = json.loads(body)
    equal(answer, {"statusCode": 200, "headers": {"content-type": "application/json"},
                   "cookies": [], "isBase64Encoded": False, "body": CONTRACT_ANSWER.decode()})


def check_fails(api, event, error_type, message):
    kind, body, headers = api.invoke(event)
    equal(kind, "error")
    equal(headers["Lambda-Runtime-Function-Error-Type"], error_type, "error type")
    equal(json.loads(body), {"errorMessage": message, "errorType": error_type, "stackTrace": []})


def check_retries(api, *steps):
    asked = api.asked
    for step in steps:
        api.script.put(step)
    check_answers(api)
    wait_until(lambda: api.asked >= asked + len(steps) + 1, "asks again")


def test_contract(fixture):
    """the contract's example is answered to the letter"""
    check_answers(fixture[0])


def test_base64(fixture):
    """a body in base64 is decoded"""
    kind, body, _ = fixture[0].invoke(url_event(base64.b64encode(CONTRACT).decode(), encoded=True))
    equal(kind, "response")
    equal(json.loads(body)["body"], CONTRACT_ANSWER.decode())


def test_bad_body(fixture):
    """a bad body is a 400 with a problem, and the next one is answered"""
    for text in (None, "", "no JSON", '{"ratings":{"5":-1}}', '{"ratings":7}', "\0"):
        kind, body, _ = fixture[0].invoke(url_event(text))
        answer = json.loads(body)
        equal((kind, answer["statusCode"]), ("response", 400))
        equal(answer["headers"], {"content-type": "application/problem+json"})
        equal(json.loads(answer["body"])["status"], 400)
        check_answers(fixture[0])


def test_method(fixture):
    """a method other than POST is a 405 that names POST"""
    answer = json.loads(fixture[0].invoke(url_event(method="GET"))[1])
    equal(answer["statusCode"], 405)
    equal(answer["headers"]["allow"], "POST")


def test_direct(fixture):
    """a direct invocation is answered plainly"""
    equal(fixture[0].invoke(CONTRACT)[:2], ("response", CONTRACT_ANSWER))


def test_direct_bad(fixture):
    """a direct invocation that is wrong is a function error"""
    check_fails(fixture[0], b'{"ratings":{"x":1}}', "Runtime.BadEvent",
                "a bucket's name is not a decimal number")
    check_answers(fixture[0])


def test_malformed(fixture):
    """an event that cannot be read is reported, and the next one is answered"""
    for event in (b"", b"no JSON", b"[]", b'{"requestContext":', b"\xff\xfe", b"[" * 100000):
        check_fails(fixture[0], event, "Runtime.BadEvent", "the event is not a JSON object")
    check_answers(fixture[0])


def test_largest(fixture):
    """an event of 6 MiB is answered"""
    event = url_event(CONTRACT.decode() + " " * (6 * 1024 * 1024 - 300))
    equal(json.loads(fixture[0].invoke(event)[1])["statusCode"], 200)


def test_too_large(fixture):
    """a larger event is reported, and the next one is answered"""
    check_fails(fixture[0], url_event(" " * (6 * 1024 * 1024 + 100)), "Runtime.EventTooLarge",
                "the event is larger than an invocation may be")
    check_answers(fixture[0])


def test_one_connection(fixture):
    """many invocations take one connection"""
    check_answers(fixture[0])
    before = fixture[0].connections
    for _ in range(100):
        check_answers(fixture[0])
    equal(fixture[0].connections, before, "connections")


def test_no_content(fixture):
    """a 204 means to ask again"""
    check_retries(fixture[0], *[lambda handler: handler.status(204)] * 3)


def test_error_statuses(fixture):
    """after an error status it asks again"""
    check_retries(fixture[0], *[lambda handler, code=code: handler.status(code, b"sorry")
                                for code in (403, 404, 500, 502, 500)])


def test_dropped(fixture):
    """after a connection that was dropped it asks again"""
    check_retries(fixture[0], *[lambda handler: handler.drop()] * 3)


def test_cut_short(fixture):
    """an event that was cut short is not answered"""
    check_retries(fixture[0],
                  lambda handler: handler.event_cut_short("cut", url_event(CONTRACT.decode())))


def test_bad_ids(fixture):
    """an event without a request id that can be used is not answered"""
    event = url_event(CONTRACT.decode())
    check_retries(fixture[0], lambda handler: handler.status(200, event),
                  *[lambda handler, name=name: handler.event(name, event)
                    for name in ("", "../../init", "a b", "x" * 129, "?")])


def test_response_dropped(fixture):
    """an answer whose connection is dropped is sent again"""
    fixture[0].drops = 2
    check_answers(fixture[0])


def test_alive(fixture):
    """one process has answered all of that"""
    assert fixture[1].alive()
    log = fixture[1].log()
    assert "runtime API, next: status 403\n" in log, log
    assert "runtime API, next: answers again, after 5 failures\n" in log, log
    assert "AddressSanitizer" not in log and "runtime error" not in log, log


def test_response_refused(_):
    """an answer that never arrives is given up, and the next invocation answered"""
    with RuntimeApi(free_port()) as api, function(api.address) as program:
        api.drops = 8  # libcurl itself may try each a second time
        api.script.put(lambda handler: handler.event("lost", url_event(CONTRACT.decode())))
        wait_until(lambda: "invocation/lost/response: " in program.log(), "gives up")
        api.drops = 0
        check_answers(api)


def test_api_starts_later(_):
    """it waits for an API that starts after it"""
    port = free_port()
    with function(f"127.0.0.1:{port}") as program:
        wait_until(lambda: "runtime API, next: " in program.log(), "says so")
        with RuntimeApi(port) as api:
            check_answers(api)


def test_path(_):
    """the API may live below a path"""
    with RuntimeApi(free_port()) as api, function(f"{api.address}/.") as program:
        check_answers(api)
        assert program.alive()


def test_proxy(_):
    """a proxy in the environment is not asked"""
    proxy = f"http://127.0.0.1:{free_port()}/"
    with RuntimeApi(free_port()) as api, function(api.address, http_proxy=proxy, ALL_PROXY=proxy):
        check_answers(api)


def test_broken(_):
    """when the API says again and again that it cannot go on, the process ends"""
    with RuntimeApi(free_port()) as api, function(api.address) as program:
        for _ in range(5):
            api.script.put(lambda handler: handler.status(500))
        equal(program.wait(), 1, "exit status")


def test_init_error(_):
    """a function that cannot start says so to the API, and ends"""
    broken = {"LD_PRELOAD": f"{OUT}/t/no_json.so", "ASAN_OPTIONS": "verify_asan_link_order=0"}
    with RuntimeApi(free_port()) as api, function(api.address, **broken) as program:
        path, body, headers = api.outcomes.get(timeout=10)
        equal(path, "init/error")
        equal(json.loads(body)["errorMessage"], "memory ran out")
        equal(headers["Lambda-Runtime-Function-Error-Type"], "Runtime.SelfCheck")
        equal(program.wait(), 1, "exit status")
        equal(api.asked, 0, "asked")


def test_no_address(_):
    """without the API's address it says what it is, and ends"""
    with Program([BOOTSTRAP], unset=["AWS_LAMBDA_RUNTIME_API"]) as program:
        equal(program.wait(), 1, "exit status")
        assert program.log().startswith("AWS_LAMBDA_RUNTIME_API is not set"), program.log()


def test_long_address(_):
    """with an address that cannot be one it ends"""
    with function("x" * 300) as program:
        equal(program.wait(), 1, "exit status")
