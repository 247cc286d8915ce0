"""What the tests of the function share: programs that are stopped again, ports, and the report."""
import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import traceback
import zipfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.abspath(os.environ.get("LAMBDA_OUT", "out/lambda"))
BOOTSTRAP = os.path.join(OUT, "bootstrap")
ZIP = os.path.join(OUT, "ratings-stats.zip")
ARM64_OUT = os.path.abspath(os.environ.get("LAMBDA_OUT_ARM64", "out-arm64/lambda"))
ARM64_ZIP = os.path.join(ARM64_OUT, "ratings-stats.zip")

CONTRACT = b'{"ratings":{"0":10,"1":20,"2":30,"3":40,"4":50,"5":60}}'
CONTRACT_ANSWER = b'{"avg":3.3333333333333335,"totalCount":210}'

_given = os.environ.get("LAMBDA_TEST_PORT")
_ports = itertools.count(int(_given)) if _given else None


def free_port():
    """A port on 127.0.0.1: from LAMBDA_TEST_PORT upwards if that is given."""
    if _ports:
        return next(_ports)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)


def equal(found, expected, what="found"):
    assert found == expected, f"{what} {found!r}, expected {expected!r}"


@contextlib.contextmanager
def unpacked(path):
    """Unpacks a zip as Lambda does; gives the directory."""
    with tempfile.TemporaryDirectory() as root:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                os.chmod(archive.extract(entry, root), entry.external_attr >> 16)
        yield os.path.realpath(root)


def mapped_files(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        paths = {line.split(maxsplit=5)[5].strip() for line in maps if line.count(" ") > 5}
    return {path for path in paths if path.startswith("/")}


class Program:
    """A program with a log of its own, in a session of its own that is stopped as a whole.

    It does not outlive the tests either where they are killed.
    """

    def __init__(self, arguments, env=None, unset=(), cwd=None):
        environment = {k: v for k, v in os.environ.items() if k not in unset}
        environment.update(env or {})
        self._log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *arguments], env=environment, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True)

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def wait(self, seconds=10):
        return self.process.wait(seconds)

    def stop(self):
        """Asks, then ends what is left of its session: also what it has started itself."""
        if self.alive():
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print("# the program's log ends:", *self.log().splitlines()[-20:], sep="\n#   ")
        self.stop()


def request(port, method, path, body=None, headers=None, seconds=30):
    """(status, headers with names in small letters, body) of one HTTP request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return response.status, names, response.read()
    finally:
        connection.close()


def check_contract(post):
    """What must hold at any function URL; post(body) gives status, headers and body."""
    for _ in range(2):
        status, headers, body = post(CONTRACT)
        equal(status, 200, "status")
        equal(body, CONTRACT_ANSWER, "body")
        equal(headers["content-type"], "application/json", "content-type")
        status, headers, body = post(b'{"ratings":{"five":1}}')
        equal(status, 400, "status")
        equal(headers["content-type"], "application/problem+json", "content-type")
        equal(json.loads(body)["detail"], "a bucket's name is not a decimal number", "detail")
        equal(post(b"no JSON at all")[0], 400, "status")


def end_by_signal(number, _):
    """Ends the tests by an exception, so that each stops what it has started."""
    raise SystemExit(128 + number)


def run(modules):
    """Runs every test_* function, in order, with what its module's setup() yields. TAP."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, end_by_signal)
    passed = failed = 0
    for module in modules:
        tests = [value for name, value in vars(module).items() if name.startswith("test_")]
        print(f"# {module.__doc__.splitlines()[0]}")
        for test, error in run_module(module, tests):
            passed, failed = passed + (not error), failed + bool(error)
            print(f"{'not ok' if error else 'ok'} {passed + failed} - {test.__doc__}", flush=True)
            if error:
                print("# " + error.rstrip().replace("\n", "\n# "), flush=True)
    print(f"1..{passed + failed}\n# {passed} passed, {failed} failed")
    return 1 if failed else 0


def run_module(module, tests):
    try:
        with module.setup() as fixture:
            for test in tests:
                yield test, error_of(test, fixture)
    except (AssertionError, OSError) as error:
        yield module.setup, f"{error}"


def error_of(test, fixture):
    try:
        test(fixture)
    except Exception:  # whatever it is, the other tests are run as well
        return traceback.format_exc()
    return None
