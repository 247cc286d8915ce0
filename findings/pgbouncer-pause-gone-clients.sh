#!/usr/bin/env bash
# PgBouncer: while a database is paused (PAUSE), clients that wait and close their connection stay in its list: SHOW
# CLIENTS has them as "waiting", SHOW POOLS counts them (cl_waiting), until RESUME, or until query_wait_timeout (120 s by
# default) has passed for each. A client that gives up after a second and tries again adds one each time.
#
# Seen with: pgbouncer 1.18.0 (Debian 12).
# Consequence: what waits at a paused pooler says nothing of how many clients there are; a test that a client gives up
# its connections looks elsewhere, or after RESUME.
# Needs: Debian 12's apt, Python 3. No PostgreSQL: a paused database connects to none.
set -euo pipefail

work=$(mktemp -d)
pooler=
stop() {
    [ -z "$pooler" ] || kill "$pooler" 2>/dev/null || true
    [ -z "$pooler" ] || wait "$pooler" 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root -qq download pgbouncer=1.18.0-1* libevent-2.1-7 libc-ares2
for package in *.deb; do dpkg -x "$package" debian; done
drop=()
if [ "$EUID" -eq 0 ]; then # pgbouncer does not run as root
    drop=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
    chown nobody "$work"
fi
cat >pgbouncer.ini <<CONF
[databases]
talks = host=$work user=talks
[pgbouncer]
unix_socket_dir = $work
listen_port = 6432
auth_type = any
admin_users = admin
query_wait_timeout = 10
CONF
LD_LIBRARY_PATH=$work/debian/usr/lib/x86_64-linux-gnu "${drop[@]}" debian/usr/sbin/pgbouncer pgbouncer.ini >log 2>&1 &
pooler=$!
cat >finding.py <<'PY'
import socket
import struct
import sys
import time


def connect(database, user):
    """Sends a startup message of PostgreSQL's protocol 3.0."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(sys.argv[1] + "/.s.PGSQL.6432")
    words = b"user\0%s\0database\0%s\0\0" % (user, database)
    client.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
    return client


def messages(client):
    """Until the server is ready for the next query."""
    stream, kind = client.makefile("rb"), b""
    while kind != b"Z":
        kind = stream.read(1)
        yield kind, stream.read(struct.unpack("!i", stream.read(4))[0] - 4)


def query(client, text):
    """The rows, each a list of texts."""
    client.sendall(b"Q" + struct.pack("!i", len(text) + 5) + text + b"\0")
    rows = []
    for kind, body in messages(client):
        if kind == b"D":
            row, at = [], 2
            for _ in range(struct.unpack("!h", body[:2])[0]):
                length = struct.unpack("!i", body[at:at + 4])[0]
                row.append(body[at + 4:at + 4 + max(length, 0)].decode())
                at += 4 + max(length, 0)
            rows.append(row)
    return rows


def waiting():
    return sum(row[2] == "talks" and row[3] == "waiting" for row in query(console, b"SHOW CLIENTS"))


console = connect(b"pgbouncer", b"admin")
list(messages(console))
print(query(console, b"SHOW VERSION")[0][0])
query(console, b"PAUSE talks")
clients = [connect(b"talks", b"client%d" % number) for number in range(3)]
time.sleep(1)
print("paused, three clients wait:", waiting())
for client in clients:
    client.close()
time.sleep(5)
print("5 s after they have closed their connections:", waiting())
time.sleep(15)
print("20 s after, query_wait_timeout is 10 s:", waiting())
PY
for _ in $(seq 100); do [ -S .s.PGSQL.6432 ] && break; sleep 0.1; done
seen=$(timeout 60 python3 finding.py "$work")
printf '%s\n' "$seen"
expected='PgBouncer 1.18.0
paused, three clients wait: 3
5 s after they have closed their connections: 3
20 s after, query_wait_timeout is 10 s: 0'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
