#!/bin/sh
# A PostgreSQL cluster for tests, below DIR: on loopback alone, without a Unix socket, as an
# unprivileged user. Its superuser is "owner", password "secret".
#   postgres.sh start DIR PORT    makes the cluster if there is none; returns once it answers
#   postgres.sh stop DIR MODE     smart, fast or immediate; returns once it is gone
#   postgres.sh pool DIR PORT MODE SERVER_PORT
#                                 starts PgBouncer before it: MODE is session, transaction or statement, and the
#                                 roles are pooled (password "pooled") and, of its console, admin
#   postgres.sh unpool DIR        kills PgBouncer; returns once it is gone
#   postgres.sh guard DIR PID     once process PID is gone, however it ended: stops, removes DIR
set -eu

bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
[ -d "$bin" ] || bin=$(pg_config --bindir)

unprivileged() {
    if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi
}

make_cluster() {
    if [ "$(id -u)" = 0 ]; then chown nobody "$1"; fi
    echo secret >"$1/password"
    chmod a+r "$1/password"
    unprivileged "$bin/initdb" -D "$1/data" -U owner --pwfile="$1/password" -A scram-sha-256 \
        -E UTF8 --locale=C --no-sync >"$1/initdb.log"
    cat >>"$1/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 40
superuser_reserved_connections = 3
END
}

start() {
    [ -d "$1/data" ] || make_cluster "$1"
    unprivileged "$bin/pg_ctl" -D "$1/data" -o "-p $2" -l "$1/data/log" -w -t 30 -s start
}

stop() {
    unprivileged "$bin/pg_ctl" -D "$1/data" -m "$2" -w -t 30 -s stop
}

# As Debian ships it, but for where it listens and whom it lets in.
pool() {
    printf '"%s" "%s"\n' pooled pooled admin admin >"$1/pooler.users"
    cat >"$1/pooler.ini" <<END
[databases]
postgres = host=127.0.0.1 port=$4
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $2
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $1/pooler.users
admin_users = admin
pool_mode = $3
default_pool_size = 4
logfile = $1/pooler.log
pidfile = $1/pooler.pid
END
    chmod a+r "$1/pooler.users" "$1/pooler.ini"
    unprivileged /usr/sbin/pgbouncer -d -q "$1/pooler.ini"
}

unpool() {
    [ -f "$1/pooler.pid" ] || return 0
    pid=$(cat "$1/pooler.pid")
    kill -KILL "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    rm -f "$1/pooler.pid"
}

guard() {
    while kill -0 "$2" 2>/dev/null; do sleep 0.5; done
    unpool "$1"
    if [ -f "$1/data/postmaster.pid" ]; then
        kill -CONT "$(head -n 1 "$1/data/postmaster.pid")" || true
        stop "$1" immediate || true
    fi
    cd /
    rm -rf "$1"
}

command=$1
cd "$2"
shift
"$command" "$@"
