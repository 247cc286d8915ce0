# shellcheck shell=bash
# Processes: start, wait for a condition, find again, stop. Sourced after config.bash.

boot_id=$(</proc/sys/kernel/random/boot_id)
interrupted=

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
die() {
    say "$*" >&2
    exit 1
}

# A signal is answered where something is waited for: elsewhere a process could be started and not yet
# written down.
signals_wait() { trap 'interrupted=yes' HUP INT TERM; }
signals_ignored() {
    interrupted=
    trap '' HUP INT TERM
}

# wait_for SECONDS COMMAND...: true as soon as the command is, false at the deadline
wait_for() {
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@"; do
        [ -z "$interrupted" ] || exit 130
        [ "${EPOCHREALTIME/[.,]/}" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

# port_taken PORT: something listens on it, on loopback or everywhere. Read from the kernel's table,
# since a stopped or overloaded listener does not answer.
port_taken() {
    local hex
    printf -v hex ':%04X' "$1"
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$hex" '
        BEGIN {
            all = "00000000"
            here["0100007F" port] = here[all port] = here[all all all all port] = 1
            here[all all "0000FFFF" "0100007F" port] = here[all all "FFFF0000" "0100007F" port] = 1
        }
        $4 == "0A" && $2 in here { taken = 1 }
        END { exit !taken }'
}

http_status() { curl -q -s --noproxy '*' -m 2 -o /dev/null -w '%{http_code}' "$@" || true; }

# started_at PID: sets REPLY to the process's state and its start time in ticks; false where it has ended
started_at() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # after the name, which may hold anything, in its parentheses: state is the 1st field, the time the 20th
    read -ra stat <<<"${stat##*) }"
    case ${stat[0]} in Z | X) return 1 ;; esac
    REPLY="${stat[0]} ${stat[19]}"
}

# A process is known by pid, start time and boot: after a crash or a reboot the pid can be a stranger's.
write_down() {
    started_at "$2" || return 0
    printf '%s %s %s\n' "$2" "${REPLY#* }" "$boot_id" >"$RUN_DIR/pid/$1"
}

# running PROCESS: it lives; sets pid and state
running() {
    local start boot
    pid='' state=''
    { read -r pid start boot <"$RUN_DIR/pid/$1"; } 2>/dev/null || return 1
    [ "$boot" = "$boot_id" ] && started_at "$pid" && [ "${REPLY#* }" = "$start" ] && state=${REPLY% *}
}

gone() { ! running "$1"; }

# as USER: sets `drop` to the command prefix that gives up root for the user
as() {
    drop=()
    [ "$EUID" -ne 0 ] || [ "$1" = root ] || drop=(setpriv "--reuid=$1" "--regid=$(id -g "$1")" --init-groups --)
}

# own_dir DIR USER: makes a directory that is the user's alone
own_dir() {
    if [ "$EUID" -eq 0 ]; then
        install -d -m 700 -o "$2" -g "$(id -g "$2")" "$1"
    else
        mkdir -p "$1" && chmod 700 "$1"
    fi
}

# clean_env: what every server gets for an environment, and signals as at the login: a shell's background
# processes ignore SIGINT. No HOME: libraries would look for keys and settings there.
clean_env=(env -i --default-signal PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)

# launch PROCESS DIR USER COMMAND...: starts it in a session of its own, so that the terminal's Ctrl-C
# does not reach it, with no file open but its log
launch() {
    local process=$1 dir=$2 fd
    local -a drop
    as "$3"
    shift 3
    (
        cd "$dir" || exit
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            case $fd in 0 | 1 | 2 | 255) ;; *) eval "exec $fd>&-" ;; esac
        done
        umask 022
        exec setsid "${drop[@]}" "${clean_env[@]}" "$@"
    ) </dev/null >>"$RUN_DIR/log/$process.log" 2>&1 &
    write_down "$process" $!
}

# tree PID: it and all its descendants. (PostgreSQL's have sessions of their own: no group holds them all.)
tree() {
    ps -e -o pid= -o ppid= | awk -v root="$1" '
        { parent[$1] = $2 }
        END { for (p in parent) { for (q = p; q != root && q in parent;) q = parent[q]; if (q == root) print p } }'
}

# signal_tree SIGNAL PROCESS: the first process is stopped before the list is made: none can be born meanwhile
signal_tree() {
    local -a all
    running "$2" || return 0
    [ "$1" = CONT ] || kill -STOP "$pid" 2>/dev/null || return 0
    mapfile -t all < <(tree "$pid")
    kill -s "$1" "${all[@]}" 2>/dev/null || true
}

pause_process() { signal_tree STOP "$1"; }
resume_process() { signal_tree CONT "$1"; }
kill_process() {
    signal_tree KILL "$1"
    wait_for 5 gone "$1" || true
    rm -f "$RUN_DIR/pid/$1"
}

# ask_to_end PROCESS SIGNAL
ask_to_end() {
    running "$1" || return 0
    kill -s "$2" "$pid" 2>/dev/null || return 0
    # it may have been paused, and its children too
    [ "$state" != T ] || resume_process "$1"
}

# see_end PROCESS SECONDS: waits for what ask_to_end began
see_end() {
    wait_for "$2" gone "$1" || say "$1 did not end within $2 s: killed (log: $RUN_DIR/log/$1.log)"
    kill_process "$1"
}
