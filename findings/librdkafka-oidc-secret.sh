#!/usr/bin/env bash
# librdkafka with sasl.oauthbearer.method=oidc sends client id and secret to the token endpoint as they are, by Basic. OAuth 2.0
# has a client encode both as a form does before it joins them (RFC 6749, section 2.3.1), so a provider decodes them: of a secret with
# a plus sign or a percent sign it reads another, and refuses the right one as wrong. Java's clients do the same by default, and have
# sasl.oauthbearer.header.urlencode for it (KIP-1025).
#
# Seen with: confluent-kafka 2.16.1 (librdkafka 2.16.0), a token endpoint that shows what it is sent.
# Consequence: docs/security.md asks for a secret of letters, digits, -, _, . and ~.
# Needs: Python 3.9 to 3.13 with venv, and PyPI.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install --disable-pip-version-check --no-deps confluent-kafka==2.16.1 typing-extensions==4.15.0

cat >ask.py <<'END'
import base64
import http.server
import queue
import threading
import urllib.parse

import confluent_kafka

secret = "one+two%41"
asked = queue.Queue()


class TokenEndpoint(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        asked.put(base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode())
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = confluent_kafka.Producer({
    "bootstrap.servers": "127.0.0.1:1", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "OAUTHBEARER",
    "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "client", "sasl.oauthbearer.client.secret": secret,
    "sasl.oauthbearer.token.endpoint.url": f"http://127.0.0.1:{server.server_port}/token", "log_level": 0})
sent = asked.get(timeout=30).partition(":")[2]
print("librdkafka", confluent_kafka.libversion()[0])
print("secret:", secret)
print("sent:", sent, "by RFC 6749:", urllib.parse.quote_plus(secret))
print("read by a provider:", urllib.parse.unquote_plus(sent))
END

seen=$(timeout 60 venv/bin/python ask.py)
printf '%s\n' "$seen"
expected='librdkafka 2.16.0
secret: one+two%41
sent: one+two%41 by RFC 6749: one%2Btwo%2541
read by a provider: one twoA'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
