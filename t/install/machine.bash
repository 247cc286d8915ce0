# shellcheck shell=bash
# Minimal Debian systems to install on, or to build on: made once by debootstrap, kept in CACHE_DIR, copied for each walk.
# Sourced by t/install/run and t/install/package, which set `blocks`, the directory of the document's commands, by
# t/image/run and build/package.

# policy DIR: no package starts a service there
policy() {
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod 755 "$1/usr/sbin/policy-rc.d"
}

# inside DIR COMMAND...: in the system, with nothing of this machine's environment; `enter` may say how
enter=()
inside() {
    local root=$1
    shift
    "${enter[@]}" chroot "$root" env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}

# what `apt-get install` is asked for by the document, a line for each command; not our own package, which is a file
document_asks_for() { sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$blocks"/*.sh | sed -n 's/^apt-get install \([^.]\)/\1/p'; }

# what a walk will install
asked_for() { document_asks_for; }

# The system with httpd on it, and all packages fetched that a walk will install: it has no network.
# find_machine SUITE: sets `machine` to its directory; made where it is not there. `machine_kind` is for another kind of walks.
machine_kind=''
find_machine() {
    local sum
    find_base "$1"
    sum=$(asked_for | cksum)
    machine=$base$machine_kind+${sum%% *}
    one_at_a_time make_machine "$base" "$machine"
}

# find_base SUITE: sets `base` to the directory of the system as debootstrap makes it
find_base() {
    base=$CACHE_DIR/debian/$1
    mkdir -p "$CACHE_DIR/debian"
    one_at_a_time make_base "$1" "$base"
}

# one_at_a_time COMMAND... DIR: makes the directory where it is not there, whole
one_at_a_time() {
    local making
    exec {making}>"$CACHE_DIR/debian/.lock"
    flock "$making"
    [ -e "${*: -1}/.complete" ] || "$@"
    exec {making}>&-
}

# make_base SUITE DIR
make_base() {
    command -v debootstrap >/dev/null || build/deps/apt debootstrap
    say "debootstrap makes a minimal Debian ($1) in $2"
    rm -rf --one-file-system "$2"
    debootstrap --variant=minbase --include=ca-certificates "$1" "$2" >"$2.log" 2>&1 || { tail -n 5 "$2.log" >&2 && die "debootstrap failed: $2.log"; }
    touch "$2/.complete"
}

# make_machine BASE DIR
make_machine() {
    local list
    say "apt-get fetches into $2 what the document asks for"
    rm -rf --one-file-system "${2%+*}"+*
    cp -a "$1" "$2.new"
    cp -L /etc/resolv.conf /etc/hosts "$2.new/etc/"
    policy "$2.new"
    # who follows the document says yes
    echo 'APT::Get::Assume-Yes "true";' >"$2.new/etc/apt/apt.conf.d/99walk"
    {
        inside "$2.new" apt-get update -q
        inside "$2.new" apt-get install -q --no-install-recommends apache2 procps
        # shellcheck disable=SC2086 # several packages
        while read -r list; do inside "$2.new" apt-get install -q --download-only $list; done < <(asked_for)
    } >"$2.log" 2>&1 || { tail -n 5 "$2.log" >&2 && die "apt-get failed: $2.log"; }
    mv "$2.new" "$2"
    touch "$2/.complete"
}

# The system with what a package's build needs, and lintian: a build has no network, and writes to /build and /tmp alone.
# find_builder SUITE CONTROL: sets `builder` to its directory; made where it is not there
find_builder() {
    local sum
    find_base "$1"
    sum=$(sed -n '/^Build-Depends/,/^[^ B]/p' "$2" | cksum)
    builder=$base-builder+${sum%% *}
    one_at_a_time make_builder "$2" "$base" "$builder"
}

# make_builder CONTROL BASE DIR
make_builder() {
    say "apt-get installs into $3 what $1 asks for"
    rm -rf --one-file-system "$2"-builder+*
    cp -a "$2" "$3.new"
    cp -L /etc/resolv.conf /etc/hosts "$3.new/etc/"
    policy "$3.new"
    mkdir -p "$3.new/build/debian"
    cp "$1" "$3.new/build/debian/"
    {
        inside "$3.new" apt-get update -q
        inside "$3.new" apt-get install -qy --no-install-recommends build-essential lintian
        inside "$3.new" apt-get build-dep -qy --no-install-recommends /build
    } >"$3.log" 2>&1 || { tail -n 5 "$3.log" >&2 && die "apt-get failed: $3.log"; }
    mv "$3.new" "$3"
    touch "$3/.complete"
}

# ---- what they do alike ----

# within SECONDS COMMAND...: as soon as it succeeds, false at the deadline
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.1
    done
}

status_of() { curl -q -s --noproxy '*' -m 5 -o /dev/null -w '%{http_code}' "$@" || true; }

# as_root_alone: RUN_DIR is root's and this script's until it ends; what the backends need is in it
as_root_alone() {
    [ "$EUID" -eq 0 ] || die "this needs root: systems are made, and commands run in them"
    use_test_dir
    mkdir -p "$RUN_DIR"
    exec {lock}>"$RUN_DIR/lock"
    flock -n "$lock" || die "another $suite is at work in TEST_DIR=$TEST_DIR: wait for it, or give another"
    [ -e "$OUT/lambda/bootstrap" ] || die "no $OUT/lambda/bootstrap: make lambda-bootstrap"
    copy_sources
    copy_program "$OUT/lambda/bootstrap" "$source_dir/bootstrap"
    trap clean_up EXIT
    trap 'exit 130' HUP INT TERM
}

# clean_up: KEEP=1 leaves the systems
clean_up() {
    trap '' HUP INT TERM
    [ -z "$attended" ] || stop_attended
    [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$RUN_DIR/systems"
}

# in_namespaces ARGUMENT...: this script again, with `--inside`: its processes, mounts and network end with it
in_namespaces() {
    export TEST_DIR CACHE_DIR OUT
    attend unshare --mount --pid --net --fork --kill-child --mount-proc "$0" --inside "$@"
}

# A network without a way out: loopback, and two addresses, since a client is local also at the server's own.
make_network() {
    ip link set lo up
    ip address add 192.0.2.1/32 dev lo
    ip address add 192.0.2.2/32 dev lo
}

# The stack's servers at their usual ports.
start_backends() {
    # shellcheck disable=SC2034 # of suite.bash
    settings=(RUN_DIR="$RUN_DIR/backends/stack" CACHE_DIR="$CACHE_DIR" LAMBDA_BOOTSTRAP="$source_dir/bootstrap" OUT="$RUN_DIR/none")
    own "$RUN_DIR/backends"
    stack clean
    stack start || die "the backends did not start"
}
