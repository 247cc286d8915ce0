# shellcheck shell=bash
# Redis: append-only file on, and never an answer that memory pressure made up. `replica` follows `redis`.

prepare_redis() {
    own_dir "$RUN_DIR/$2" "$1"
    # Debian's redis-tools has the server under this name, and goes by the name that it is called by.
    # The package redis-server adds a link, and a system service that is not wanted here.
    ln -sf /usr/bin/redis-check-rdb "$RUN_DIR/$2/redis-server"
}

launch_redis() {
    local port=${ports[$2]}
    local -a follow=()
    [ "$2" = redis ] || follow=(--replicaof 127.0.0.1 "$REDIS_PORT")
    launch "$2" "$RUN_DIR/$2" "$1" "$RUN_DIR/$2/redis-server" --bind 127.0.0.1 --port "${!port}" \
        --dir "$RUN_DIR/$2" --appendonly yes --appendfsync everysec --save '' \
        --maxmemory-policy noeviction --repl-diskless-sync-delay 0 --daemonize no "${follow[@]}"
}

# While it loads its file it answers, and refuses. A replica has the data of the first when their link is up.
ready_redis() {
    local port=${ports[$1]}
    if [ "$1" = redis ]; then
        [ "$(redis_says "${!port}" ping)" = PONG ]
    else
        redis_says "${!port}" info replication | grep -q '^master_link_status:up'
    fi
}

redis_says() { timeout 2 redis-cli -h 127.0.0.1 -p "$@" 2>/dev/null; }
