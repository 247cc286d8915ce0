"""The zip, deployed to MiniStack by AWS's API and called by its function URL"""
import base64
import contextlib
import json
import os
import re
import subprocess
import tempfile
import urllib.parse

from harness import (CONTRACT, CONTRACT_ANSWER, ZIP, Program, check_contract, equal, free_port,
                     request, wait_until)

FUNCTION = "ratings-stats"
# the key of the account's root, at whose signature MiniStack does not look
SIGNED = {"Content-Type": "application/json",
          "Authorization": "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/lambda/aws4_request,"
                           " SignedHeaders=host, Signature=0"}


@contextlib.contextmanager
def setup():
    """MiniStack starts, and takes the zip"""
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch, start(port, scratch) as program:
        wait_until(lambda: is_up(program, port), "MiniStack is up", 60)
        create_function(port)
        yield port, create_url(port)


def start(port, scratch):
    """All that it writes, it writes below `scratch`."""
    env = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": scratch, "HOME": scratch,
           "AWS_DEFAULT_REGION": "us-east-1", "PERSIST_STATE": "0", "AUTH": "true"}
    return Program([os.environ.get("MINISTACK", "ministack")], env, cwd=scratch)


def is_up(program, port):
    assert program.alive(), "MiniStack ended:\n" + program.log()
    try:
        return request(port, "GET", "/_ministack/health")[0] == 200
    except OSError:
        return False


def call(port, method, path, content=None):
    body = json.dumps(content) if content is not None else None
    status, _, text = request(port, method, path, body, SIGNED)
    assert status // 100 == 2, f"{method} {path}: {status} {text[:500]!r}"
    return json.loads(text)


def iam(port, action, **parameters):
    """The answer of IAM, as XML."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": SIGNED["Authorization"].replace("/lambda/", "/iam/")}
    body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-08", **parameters})
    status, _, text = request(port, "POST", "/", body, headers)
    assert status == 200, f"{action}: {status} {text[:500]!r}"
    return text.decode()


def policy(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def create_caller(port):
    """A user who may call the function by its URL: key and secret."""
    iam(port, "CreateUser", UserName="caller")
    iam(port, "PutUserPolicy", UserName="caller", PolicyName="call", PolicyDocument=policy(
        Action="lambda:InvokeFunctionUrl", Resource=f"arn:aws:lambda:us-east-1:000000000000:function:{FUNCTION}"))
    key = iam(port, "CreateAccessKey", UserName="caller")
    return tuple(re.search(f"<{name}>(.+?)</{name}>", key)[1] for name in ("AccessKeyId", "SecretAccessKey"))


def create_function(port):
    iam(port, "CreateRole", RoleName="lambda", AssumeRolePolicyDocument=policy(
        Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
    with open(ZIP, "rb") as file:
        code = base64.b64encode(file.read()).decode()
    call(port, "POST", "/2015-03-31/functions", {
        "FunctionName": FUNCTION, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Role": "arn:aws:iam::000000000000:role/lambda", "Timeout": 10, "MemorySize": 128,
        "Architectures": ["arm64" if os.uname().machine == "aarch64" else "x86_64"],
        "Code": {"ZipFile": code}})
    wait_until(lambda: state(port) == "Active", "the function is active", 60)


def state(port):
    return call(port, "GET", f"/2015-03-31/functions/{FUNCTION}/configuration").get("State")


def create_url(port):
    """The path under which the function URL is to be had on this machine."""
    url = call(port, "POST", f"/2021-10-31/functions/{FUNCTION}/url", {"AuthType": "NONE"})
    return f"/_aws/lambda-url/{url['FunctionUrl'].split('//')[1].split('.')[0]}/"


def test_contract(fixture):
    """the contract's example is answered to the letter; a bad body is a 400, a good one after it a 200"""
    port, path = fixture
    check_contract(lambda body: request(port, "POST", path, body,
                                        {"Content-Type": "application/json"}))


def test_binary(fixture):
    """a body that arrives in base64 is decoded"""
    for sent, status in ((CONTRACT, 200), (b"\xff\x00", 400)):
        answer = request(fixture[0], "POST", fixture[1], sent,
                         {"Content-Type": "application/octet-stream"})
        equal(answer[0], status, "status")


def test_method(fixture):
    """GET is a 405 that names POST"""
    status, headers, _ = request(fixture[0], "GET", fixture[1])
    equal((status, headers.get("allow")), (405, "POST"))


def test_invoke(fixture):
    """the function can be invoked directly"""
    status, headers, body = request(fixture[0], "POST",
                                    f"/2015-03-31/functions/{FUNCTION}/invocations", CONTRACT, SIGNED)
    equal((status, json.loads(body)), (200, json.loads(CONTRACT_ANSWER)))
    assert "x-amz-function-error" not in headers, headers


def test_invoke_bad(fixture):
    """a direct invocation that is wrong is a function error"""
    _, headers, body = request(fixture[0], "POST",
                               f"/2015-03-31/functions/{FUNCTION}/invocations", b"{}", SIGNED)
    assert "x-amz-function-error" in headers, headers
    equal(json.loads(body)["errorMessage"], "ratings is missing or not an object")


def call_signed(port, path, key, secret):
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--noproxy", "*", "--aws-sigv4", "aws:amz:us-east-1:lambda", "--user",
         f"{key}:{secret}", "--header", "Content-Type: application/json", "--data-binary", CONTRACT.decode(),
         f"http://127.0.0.1:{port}{path}"], capture_output=True, check=True, timeout=30).stdout


def test_iam(fixture):
    """a URL of the auth type AWS_IAM takes what libcurl has signed, and refuses another secret, and none"""
    port, path = fixture
    call(port, "PUT", f"/2021-10-31/functions/{FUNCTION}/url", {"AuthType": "AWS_IAM"})
    try:
        equal(request(port, "POST", path, CONTRACT, {"Content-Type": "application/json"})[0], 403)
        key, secret = create_caller(port)
        equal(call_signed(port, path, key, secret), CONTRACT_ANSWER)
        assert b"does not match the signature" in call_signed(port, path, key, secret + "x")
    finally:
        call(port, "PUT", f"/2021-10-31/functions/{FUNCTION}/url", {"AuthType": "NONE"})
