# shellcheck shell=bash
# shellcheck disable=SC2034 # read by those who source it
# What the suites that run on real servers share (t/run, t/chaos/run, t/bench/run ...): settings, a copy of the sources
# that the user of the tests can read, the servers. Sourced from the top, with `suite` the script's name, `suite_name`
# one word for it, and `suite_ports` the number of its hundred ports, another for each suite: 0 t/run, 1 t/chaos/run,
# 2 t/bench/run, 3 t/bench/rebuild, 4 t/suite/run, 7 t/run --beside, 8 t/real/run, 9 t/matrix/run.
# (t/install/run, t/install/package and t/image/run have a network of their own; build/package needs no server.)
#
# A suite shares neither a port nor a directory with `make run` and `make stack`, whatever of theirs is exported: its
# settings are TEST_PORT, the first of a thousand ports, and TEST_DIR, which holds a directory for each suite.

: "${OUT:=$top/out}" "${APXS:=apxs}" "${TEST_PORT:=26000}"
OUT=${OUT%-[at]san}
case $OUT in /*) ;; *) OUT=$top/$OUT ;; esac

# Those of build/stack: here they are what a suite makes of TEST_PORT and TEST_DIR, or the defaults.
unset RUN_DIR HTTP_PORT PG_PORT REDIS_PORT REPLICA_PORT LAMBDA_PORT LAMBDA_PROCESSES LAMBDA_BOOTSTRAP MODULE
unset KAFKA_PORT KAFKA_CONTROLLER_PORT KAFKA_PROXIED_PORT KAFKA_ADVERTISED_PORT KAFKA_CLUSTER_PORT KAFKA_JVM_OPTIONS
unset KAFKA_{1,2,3}_PORT KAFKA_{1,2,3}_CONTROLLER_PORT HTTPD_USER HTTPD_GROUP
unset TALKS_CONNECTION RATINGS_CONNECTION STREAMS_CONNECTION RATINGS_LAMBDA_URL

# As root everything runs as another user, who can't reach a clone below root's home.
if [ "$EUID" -eq 0 ]; then
    : "${TEST_DIR:=/var/tmp/mod_ratings-tests}" "${CACHE_DIR:=/var/cache/mod_ratings}" "${TEST_USER:=www-data}"
    drop=(setpriv "--reuid=$TEST_USER" "--regid=$(id -g "$TEST_USER")" --init-groups --)
else
    : "${TEST_DIR:=$OUT/tests}" "${CACHE_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/mod_ratings}"
    TEST_USER=$(id -un) drop=()
fi
case $TEST_DIR in /*) ;; *) TEST_DIR=$top/$TEST_DIR ;; esac
case $CACHE_DIR in /*) ;; *) CACHE_DIR=$top/$CACHE_DIR ;; esac
RUN_DIR=$TEST_DIR/$suite_name
source_dir=$RUN_DIR/source suite_dir='' stack_started='' attended=''

say() { printf '%s: %s\n' "$suite" "$*"; }
die() {
    say "$*" >&2
    exit 1
}

# Thirty ports for httpds, one for each server (the cluster's begin ten after KAFKA_PORT), forty for those that
# scenarios start.
set_ports() {
    [[ $TEST_PORT =~ ^[1-9][0-9]{3,4}$ && $TEST_PORT -le 64535 ]] || die "TEST_PORT=$TEST_PORT is not a port from 1000 to 64535"
    local first=$((TEST_PORT + 100 * suite_ports))
    HTTP_PORT=$first PG_PORT=$((first + 30)) REDIS_PORT=$((first + 31)) LAMBDA_PORT=$((first + 34)) KAFKA_PORT=$((first + 40))
    KAFKA_CONTROLLER_PORT=$((KAFKA_PORT + 1)) CHAOS_PORT=$((first + 60))
}

# TEST_DIR is made, or is one that a suite has made: what belongs to others stays as it is.
use_test_dir() {
    local mark=$TEST_DIR/.mod_ratings-tests
    if [ -e "$TEST_DIR" ] || [ -L "$TEST_DIR" ]; then
        if [ ! -d "$TEST_DIR" ] || [ -L "$TEST_DIR" ] || [ ! -O "$TEST_DIR" ]; then
            die "TEST_DIR=$TEST_DIR is not a directory of $(id -un)'s: give another"
        fi
        # the mark is the first thing in it, of a suite that began meanwhile too
        [ -e "$mark" ] || [ -z "$(ls -A "$TEST_DIR")" ] || [ -e "$mark" ] || die "TEST_DIR=$TEST_DIR holds other things: give an empty or a new one"
    fi
    { mkdir -p "$TEST_DIR" && chmod 755 "$TEST_DIR" && : >>"$mark"; } 2>/dev/null || die "TEST_DIR=$TEST_DIR can't be written to"
}

# own DIR: a directory of the user of the tests
own() {
    [ ! -L "$1" ] || die "$1 is a symbolic link: give another TEST_DIR"
    mkdir -p "$1"
    [ "$EUID" -ne 0 ] || chown "$TEST_USER": "$1"
    chmod 755 "$1"
}

# copy_sources FILE...: what the user of the tests has to read, where he can: the checkout may be out of
# his reach
copy_sources() {
    rm -rf "$source_dir"
    mkdir -p "$source_dir"
    tar -cf - build/stack build/deps conf t/lib "$@" | tar -xf - -C "$source_dir" --no-same-owner
    chmod -R a+rX "$source_dir"
}

copy_program() { install -m 755 "$1" "$2.new" && mv "$2.new" "$2"; }

stack() { "${drop[@]}" env "${settings[@]}" "$source_dir/build/stack/stack" "$@"; }

start_stack() {
    if stack status >/dev/null 2>&1; then
        say "the servers run already in $RUN_DIR/stack"
        return
    fi
    stack_started=yes
    stack clean # what an earlier run has left in log and store is not for this one
    own "$RUN_DIR/stack"
    stack start || die "the servers did not start (their ports are those from TEST_PORT=$TEST_PORT on)"
}

# attend COMMAND...: runs it in a session of its own, and is there for signals meanwhile: stop_all ends all of it
attend() {
    local code=0
    setsid "$@" </dev/null {lock}>&- &
    attended=$!
    wait "$attended" || code=$?
    attended=''
    return "$code"
}

# A test program's guard (t/lib/RatingsTest/Guard.pm) outlives it for as long as it has work.
stop_attended() {
    local tries
    kill -- "-$attended" 2>/dev/null || true
    for ((tries = 0; tries < 200; tries++)); do
        kill -0 -- "-$attended" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL -- "-$attended" 2>/dev/null || true
}

# shellcheck disable=SC2317 # called by the trap
stop_all() {
    trap '' HUP INT TERM
    [ -z "$attended" ] || stop_attended
    [ -z "$suite_dir" ] || stop_httpds
    [ -z "$stack_started" ] || stack stop >/dev/null 2>&1 || true
}

# Those that a test that died has left behind.
stop_httpds() {
    local file pid
    for file in "$suite_dir"/t/logs/httpd.pid "$suite_dir"/t/logs/*/httpd.pid "$suite_dir"/privileged/*/httpd.pid; do
        [ -e "$file" ] || continue
        pid=$(<"$file")
        # its command line names its configuration, in this directory: no stranger's
        if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$suite_dir"; then kill "$pid" || true; fi
    done
}

# run_suite_alone FILE...: the suite's directory is ours, the files are copied, and the servers up until this ends
run_suite_alone() {
    set_ports
    use_test_dir
    own "$RUN_DIR"
    exec {lock}>"$RUN_DIR/lock"
    flock -n "$lock" || die "another $suite is at work in TEST_DIR=$TEST_DIR: wait for it, or give another"
    local bootstrap=$OUT/lambda/bootstrap
    [ -e "$bootstrap" ] || die "no $bootstrap: make lambda-bootstrap"
    copy_sources "$@"
    copy_program "$bootstrap" "$source_dir/bootstrap"
    settings=(RUN_DIR="$RUN_DIR/stack" CACHE_DIR="$CACHE_DIR" HTTP_PORT="$HTTP_PORT" PG_PORT="$PG_PORT" REDIS_PORT="$REDIS_PORT"
        KAFKA_PORT="$KAFKA_PORT" KAFKA_CONTROLLER_PORT="$KAFKA_CONTROLLER_PORT" LAMBDA_PORT="$LAMBDA_PORT"
        LAMBDA_BOOTSTRAP="$source_dir/bootstrap" MODULE="$source_dir/none" OUT="$RUN_DIR/none" APXS="$APXS" TEST_CONF="$source_dir/conf")
    own "$RUN_DIR/stack"
    trap stop_all EXIT
    trap 'exit 130' HUP INT TERM
    start_stack {lock}>&-
    mapfile -t connections < <(stack env | tr -d "'")
}
