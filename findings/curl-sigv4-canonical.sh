#!/usr/bin/env bash
# curl signs for AWS (--aws-sigv4, CURLOPT_AWS_SIGV4) what is written, and not what AWS makes of it before it compares: the query in its
# order, the path with its colons and percent signs as they are, and headers in the order of their lines, by which x-key-id comes
# before x-key. The same key signs /a and is refused for /a:b, by the message of a wrong secret. Later versions sort the query and the
# headers.
#
# Seen with: curl 7.88.1 of Debian 12; the signatures compared with those of botocore 1.43.106, by which AWS's SDK for Python signs.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
# https://github.com/curl/curl/issues/9717 https://github.com/curl/curl/pull/14370 https://github.com/curl/curl/issues/16927
# Consequence: RatingsStatsAuth refuses URLs with a query, and paths of other letters than those that are signed alike, when httpd
# starts; RatingsStatsHeader is not set beside it.
# Needs: Debian 12's curl, Python 3.9 or later with venv, and PyPI.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install --disable-pip-version-check --no-deps \
    botocore==1.43.106 jmespath==1.1.0 python-dateutil==2.9.0.post0 six==1.17.0 urllib3==2.8.0

cat >compare.py <<'END'
import http.server
import re
import subprocess
import threading

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

signer = SigV4Auth(Credentials("AKIDEXAMPLE", "a-secret"), "lambda", "us-east-1")


class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        names, given = re.search(r"SignedHeaders=([^,]+), Signature=(\w+)", self.headers["Authorization"]).groups()
        headers = {name: self.headers[name] for name in names.split(";")}
        request = AWSRequest("GET", f"http://127.0.0.1:{port}{self.path}", headers=headers)
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        right = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        answer = b"the same" if right == given else b"another"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
port = server.server_port
threading.Thread(target=server.serve_forever, daemon=True).start()
curl = ["curl", "-q", "-s", "--noproxy", "*", "-m", "10", "--aws-sigv4", "aws:amz:us-east-1:lambda", "--user", "AKIDEXAMPLE:a-secret"]
for target, *headers in (["/a"], ["/a?b=1&c=2"], ["/a?c=2&b=1"], ["/a:b"], ["/a%20b"],
                         ["/a", "x-key: 1", "x-other: 2"], ["/a", "x-key: 1", "x-key-id: 2"]):
    options = [word for header in headers for word in ("-H", header)]
    answer = subprocess.run([*curl, *options, f"http://127.0.0.1:{port}{target}"], capture_output=True, text=True).stdout
    print(target, *headers, "->", answer, "signature")
END

seen="$(curl -V | grep -oE '^curl [0-9.]+')
$(venv/bin/python compare.py)"
printf '%s\n' "$seen"
expected='curl 7.88.1
/a -> the same signature
/a?b=1&c=2 -> the same signature
/a?c=2&b=1 -> another signature
/a:b -> another signature
/a%20b -> another signature
/a x-key: 1 x-other: 2 -> the same signature
/a x-key: 1 x-key-id: 2 -> another signature'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
