# shellcheck shell=bash
# shellcheck disable=SC2034 # read by those who source it
# What the suites that run on real servers share (t/run, t/chaos/run, t/bench/run): settings, a copy of the sources
# that the user of the tests can read, the servers. Sourced from the top, with `suite` the script's name,
# and the ports' defaults set.

: "${OUT:=$top/out}" "${APXS:=apxs}"
OUT=${OUT%-asan}
case $OUT in /*) ;; *) OUT=$top/$OUT ;; esac
KAFKA_CONTROLLER_PORT=${KAFKA_CONTROLLER_PORT:-$((KAFKA_PORT + 1))}
# As root everything runs as another user, who can't reach a clone below root's home.
if [ "$EUID" -eq 0 ]; then
    : "${RUN_DIR:=/var/tmp/mod_ratings-${suite_name}}" "${CACHE_DIR:=/var/cache/mod_ratings}" "${TEST_USER:=www-data}"
    drop=(setpriv "--reuid=$TEST_USER" "--regid=$(id -g "$TEST_USER")" --init-groups --)
else
    : "${RUN_DIR:=$OUT/${suite_name}}" "${CACHE_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/mod_ratings}"
    TEST_USER=$(id -un) drop=()
fi
case $RUN_DIR in /*) ;; *) RUN_DIR=$top/$RUN_DIR ;; esac
case $CACHE_DIR in /*) ;; *) CACHE_DIR=$top/$CACHE_DIR ;; esac
source_dir=$RUN_DIR/source suite_dir='' stack_started=''

say() { printf '%s: %s\n' "$suite" "$*"; }
die() {
    say "$*" >&2
    exit 1
}

# own DIR: a directory of the user of the tests
own() {
    [ ! -L "$1" ] || die "$1 is a symbolic link: give another RUN_DIR"
    mkdir -p "$1"
    [ "$EUID" -ne 0 ] || chown "$TEST_USER": "$1"
    chmod 755 "$1"
}

# copy_sources FILE...: what the user of the tests has to read, where he can: the checkout may be out of
# his reach
copy_sources() {
    rm -rf "$source_dir"
    mkdir -p "$source_dir"
    tar -cf - build/stack build/deps conf/schema.sql t/lib "$@" | tar -xf - -C "$source_dir" --no-same-owner
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
    stack start
}

# shellcheck disable=SC2317 # called by the trap
stop_all() {
    trap '' HUP INT TERM
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

# run_suite_alone FILE...: RUN_DIR is ours, the files are copied, and the servers up until this ends
run_suite_alone() {
    own "$RUN_DIR"
    exec {lock}>"$RUN_DIR/lock"
    flock -n "$lock" || die "another $suite is at work in RUN_DIR=$RUN_DIR: wait for it, or give another"
    local bootstrap=${LAMBDA_BOOTSTRAP:-$OUT/lambda/bootstrap}
    [ -e "$bootstrap" ] || die "no $bootstrap: make lambda-bootstrap"
    copy_sources "$@"
    copy_program "$bootstrap" "$source_dir/bootstrap"
    settings=(RUN_DIR="$RUN_DIR/stack" CACHE_DIR="$CACHE_DIR" HTTP_PORT="$HTTP_PORT" PG_PORT="$PG_PORT" REDIS_PORT="$REDIS_PORT"
        KAFKA_PORT="$KAFKA_PORT" KAFKA_CONTROLLER_PORT="$KAFKA_CONTROLLER_PORT" LAMBDA_PORT="$LAMBDA_PORT"
        LAMBDA_BOOTSTRAP="$source_dir/bootstrap" MODULE="$source_dir/none" OUT="$RUN_DIR/none" APXS="$APXS")
    own "$RUN_DIR/stack"
    trap stop_all EXIT
    trap 'exit 130' HUP INT TERM
    start_stack {lock}>&-
    mapfile -t connections < <(stack env | tr -d "'")
}
