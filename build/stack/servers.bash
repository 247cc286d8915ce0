# shellcheck shell=bash
# Servers, each of one or more processes: start together, stop together. A server is a row of the table
# in config.bash; those of the kind X use these functions in X.bash, and are named to them:
#   prepare_X   makes what it needs before its first start, quick when that is there; runs beside others
#   launch_X    starts its processes; this and prepare_X are given the user that runs it, then the server
#   ready_X     true when it answers
#   settle_X    what is to be done once it does (may be left out)
#   explain_X   says more when it does not (may be left out)

# what this run has started, and has to stop when it fails
launched=()

# use_run_dir: makes RUN_DIR, or refuses one that is somebody else's
use_run_dir() {
    local -a found=()
    umask 022
    if [ -d "$RUN_DIR" ]; then
        # one that others own they could change underneath
        [ -O "$RUN_DIR" ] || die "RUN_DIR=$RUN_DIR belongs to the user $(stat -c %U "$RUN_DIR"): give another"
        mapfile -t found < <(ls -A "$RUN_DIR")
        [ "${#found[@]}" -eq 0 ] || [ -e "$RUN_DIR/.mod_ratings" ] ||
            die "RUN_DIR=$RUN_DIR holds other things: give an empty or a new one"
    fi
    { mkdir -p "$RUN_DIR/log" "$RUN_DIR/pid" && : >>"$RUN_DIR/.mod_ratings"; } 2>/dev/null ||
        die "RUN_DIR=$RUN_DIR can't be written to"
}

# take_turn: one command at a time changes what runs
take_turn() {
    exec {turn}>"$RUN_DIR/turn.lock"
    flock -w 120 "$turn" || die "another command has been busy in RUN_DIR=$RUN_DIR for two minutes"
}

# run_alone: one `make run` in a RUN_DIR, for as long as this process lives
run_alone() {
    exec {alone}>>"$RUN_DIR/run.lock"
    flock -n "$alone" || die "RUN_DIR=$RUN_DIR is in use by make run (pid $(<"$RUN_DIR/run.lock")): stop that, or give another"
    echo $$ >"$RUN_DIR/run.lock"
}

# check_ports SERVER...: they, and those that run without being named, have ports of their own
check_ports() {
    local server setting
    local -A seen=()
    for server in $(printf '%s\n' "${backends[@]}" httpd "$@" | sort -u); do
        for setting in ${ports[$server]}; do
            [[ ${!setting-} =~ ^[1-9][0-9]{0,4}$ && ${!setting} -le 65535 ]] || die "$setting=${!setting-} is no port"
            [ -z "${seen[${!setting}]-}" ] || die "$setting and ${seen[${!setting}]} are the same port, ${!setting}"
            seen[${!setting}]=$setting
        done
    done
}

# check_free SERVER...: nobody else listens where they will
check_free() {
    local server setting
    check_ports "$@"
    for server; do
        for setting in ${ports[$server]}; do
            ! port_taken "${!setting}" ||
                die "port ${!setting} for $server is in use: stop what listens there, or give another $setting"
        done
    done
}

# check_users SERVER...: those who will run them exist, and can reach their files
check_users() {
    [ "$EUID" -eq 0 ] || return 0
    local user dir
    local -a drop
    for user in $(printf '%s\n' "${runs_as[@]}" "$HTTPD_USER" | sort -u); do
        id "$user" >/dev/null 2>&1 || die "there is no user $user to run servers as (make deps installs what makes them)"
        as "$user"
        for dir in RUN_DIR CACHE_DIR; do
            [ ! -d "${!dir}" ] || "${drop[@]}" test -x "${!dir}" ||
                die "$dir=${!dir} can't be reached by the user $user, who runs servers: give another $dir"
        done
    done
}

# is_up SERVER: all its processes live
is_up() {
    local process
    for process in ${processes[$1]}; do running "$process" || return 1; done
}

# first_words LOG LINES: what a log says since a start, in one line: its first error, else its last line
first_words() {
    local new
    new=$(tail -n "+$(($2 + 1))" "$1" | grep -v '^[[:space:]]*$')
    { grep -m 1 -iE 'fatal|error|exception|cannot|can.t |could not|denied|failed|invalid' <<<"$new" || tail -n 1 <<<"$new"; } |
        cut -c 1-240
}

lines() { [ ! -e "$1" ] || wc -l <"$1"; }

# start SERVER...: those that are not up yet; dies when one does not come up
start() {
    local server job failed=
    local -a starting=() jobs=()
    for server; do is_up "$server" || starting+=("$server"); done
    [ "${#starting[@]}" -gt 0 ] || return 0
    check_users
    stop "${starting[@]}" # the half of one whose other half is gone
    check_free "${starting[@]}"
    for server in "${starting[@]}"; do
        "prepare_${kind[$server]}" "${runs_as[$server]}" "$server" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait_for_job "$job" || failed=yes; done
    [ -z "$failed" ] || exit 1
    bring_up "${starting[@]}"
}

# wait_for_job PID: to its end, also after a signal: none goes on behind the back of what follows
wait_for_job() {
    until wait "$1"; do kill -0 "$1" 2>/dev/null || return 1; done
}

bring_up() {
    local server process
    local -A before=()
    for server; do
        [ -z "$interrupted" ] || exit 130
        for process in ${processes[$server]}; do before[$process]=$(lines "$RUN_DIR/log/$process.log"); done
        launched+=("$server")
        "launch_${kind[$server]}" "${runs_as[$server]}" "$server"
    done
    for server; do see_up "$server"; done
    [ -z "$interrupted" ] || exit 130
}

# see_up SERVER: uses `before`, the lines that each log had
see_up() {
    local process log late=
    wait_for "${up_within[$1]}" ready_or_ended "$1" || late=yes
    for process in ${processes[$1]}; do
        log=$RUN_DIR/log/$process.log
        running "$process" || die "$process ended at its start: $(first_words "$log" "${before[$process]:-0}") (log: $log)"
    done
    [ -z "$late" ] || if_there "explain_${kind[$1]}" "$1" >&2
    [ -z "$late" ] || die "$1 does not answer within ${up_within[$1]} s: $(first_words "$log" "${before[$process]:-0}") (log: $log)"
    if_there "settle_${kind[$1]}" "$1"
}

if_there() { ! declare -F "$1" >/dev/null || "$@"; }

ready_or_ended() { ! is_up "$1" || "ready_${kind[$1]}" "$1"; }

# stop SERVER...: all are asked to, then all are waited for
stop() {
    local server process
    for server; do
        for process in ${processes[$server]}; do ask_to_end "$process" "${stop_signal[$server]}"; done
    done
    for server; do
        for process in ${processes[$server]}; do see_end "$process" "${down_within[$server]}"; done
    done
}

# reverse NAME...: sets `reversed`
reverse() {
    reversed=()
    local name
    for name; do reversed=("$name" "${reversed[@]}"); done
}

# stop_launched: for a trap on EXIT
stop_launched() {
    signals_ignored
    reverse "${launched[@]}"
    stop "${reversed[@]}"
    launched=()
}
