# shellcheck shell=bash
# Redis: append-only file on, and never an answer that memory pressure made up.

prepare_redis() {
    own_dir "$RUN_DIR/redis" "$1"
    # Debian's redis-tools has the server under this name, and goes by the name that it is called by.
    # The package redis-server adds a link, and a system service that is not wanted here.
    ln -sf /usr/bin/redis-check-rdb "$RUN_DIR/redis/redis-server"
}

launch_redis() {
    launch redis "$RUN_DIR/redis" "$1" "$RUN_DIR/redis/redis-server" --bind 127.0.0.1 --port "$REDIS_PORT" \
        --dir "$RUN_DIR/redis" --appendonly yes --appendfsync everysec --save '' \
        --maxmemory-policy noeviction --daemonize no
}

# While it loads its file it answers, and refuses.
ready_redis() { [ "$(timeout 2 redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null)" = PONG ]; }
