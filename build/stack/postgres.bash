# shellcheck shell=bash
# PostgreSQL: a cluster of its own, of the newest version that is installed, or of the programs in POSTGRES_BIN.

postgres_data=$RUN_DIR/postgres/data

# find_postgres: sets postgres_bin. Data of an older version need that version's programs.
find_postgres() {
    local version='*'
    [ ! -e "$postgres_data/PG_VERSION" ] || version=$(<"$postgres_data/PG_VERSION")
    # shellcheck disable=SC2086 # a pattern
    postgres_bin=${POSTGRES_BIN:-$(printf '%s\n' /usr/lib/postgresql/$version/bin | sort -V | tail -n 1)}
    [ -x "$postgres_bin/postgres" ] ||
        die "no programs of PostgreSQL $version in /usr/lib/postgresql: install them (make deps), or make clean-run"
}

prepare_postgres() {
    local -a drop
    own_dir "$RUN_DIR/postgres" "$1"
    find_postgres
    [ ! -e "$postgres_data/PG_VERSION" ] || return 0
    as "$1"
    echo postgres >"$RUN_DIR/postgres/password"
    # into another name first: what a broken start leaves is not a cluster
    rm -rf "$postgres_data.new"
    "${drop[@]}" "${clean_env[@]}" "$postgres_bin/initdb" --pgdata="$postgres_data.new" --username=postgres \
        --auth=scram-sha-256 --pwfile="$RUN_DIR/postgres/password" --encoding=UTF8 --locale=C.UTF-8 --no-instructions \
        >>"$RUN_DIR/log/postgres.log" 2>&1 || die "initdb failed (log: $RUN_DIR/log/postgres.log)"
    mv "$postgres_data.new" "$postgres_data"
}

launch_postgres() {
    find_postgres
    # PostgreSQL asks only whether some process has the pid of its predecessor: a zombie after a crash, or a
    # stranger. Here it is known to be gone. A number that is no pid keeps the file's other guard, the one
    # against its children that still hold its memory.
    [ ! -e "$postgres_data/postmaster.pid" ] || sed -i '1s/.*/2147483647/' "$postgres_data/postmaster.pid"
    # small, as the tables are; what decides whether a commit is kept stays as it is everywhere
    launch postgres "$RUN_DIR/postgres" "$1" "$postgres_bin/postgres" -D "$postgres_data" -p "$PG_PORT" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c shared_buffers=32MB -c max_connections=200 -c max_wal_size=256MB
}

# The clients are the system's: POSTGRES_BIN need not have any.
ready_postgres() { pg_isready -q -t 2 -h 127.0.0.1 -p "$PG_PORT"; }

# The table, and talks to try it with; loading them again changes nothing.
settle_postgres() {
    cat "$top/conf/schema.sql" "$top/conf/demo.sql" |
        "${clean_env[@]}" psql -X -q -v ON_ERROR_STOP=1 "$TALKS_CONNECTION" >>"$RUN_DIR/log/postgres.log" 2>&1 ||
        die "conf/schema.sql and conf/demo.sql could not be loaded (log: $RUN_DIR/log/postgres.log)"
}
