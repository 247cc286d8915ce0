#!/bin/sh
# A Redis server for tests, in DIR: on loopback and the Unix socket DIR/socket, without a file of its data, with a user
# "reader" whose password is "p@ss/w%rd".
#   redis.sh start DIR PORT [OPTION...]    returns once it answers
#   redis.sh stop DIR          returns once it is gone
#   redis.sh guard DIR PID     once process PID is gone, however it ended: stops, removes DIR
set -eu

# Debian's redis-tools has the server under another name, and it goes by the name that it is called by.
link_server() {
    server=$(command -v redis-server || command -v redis-check-rdb)
    ln -sf "$server" redis-server
}

answers() { [ "$(redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null)" = PONG ]; }

# Whether `$@` succeeds within 10 s.
within_time() {
    tries=200
    until "$@"; do
        tries=$((tries - 1))
        if [ "$tries" = 0 ]; then return 1; fi
        sleep 0.05
    done
}

start() {
    [ -e redis-server ] || link_server
    directory=$1 port=$2
    shift 2
    ./redis-server --bind 127.0.0.1 --port "$port" --unixsocket "$directory/socket" --dir "$directory" --save '' --daemonize yes \
        --pidfile "$directory/pid" --logfile "$directory/server.log" --maxclients 100 \
        --user reader on '>p@ss/w%rd' '~*' '+@all' "$@"
    within_time answers "$port"
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

stop() {
    pid=$(cat pid)
    kill "$pid"
    within_time is_gone "$pid"
    rm -f pid
}

guard() {
    while kill -0 "$2" 2>/dev/null; do sleep 0.5; done
    if [ -f pid ]; then
        kill -CONT "$(cat pid)" || true
        kill -KILL "$(cat pid)" || true
    fi
    cd /
    rm -rf "$1"
}

command=$1
cd "$2"
shift
"$command" "$@"
