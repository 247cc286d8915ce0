# shellcheck shell=bash
# shellcheck disable=SC2034 # read by those who source it
# What may be given from outside, each with its default; where the things are; the table of servers.

stack_dir=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
top=${stack_dir%/build/stack}

# As root the servers run as users of their own, who can't reach a clone below root's home.
if [ "$EUID" -eq 0 ]; then
    : "${RUN_DIR:=/var/tmp/mod_ratings}" "${CACHE_DIR:=/var/cache/mod_ratings}"
    : "${HTTPD_USER:=www-data}" "${HTTPD_GROUP:=www-data}"
else
    : "${RUN_DIR:=$top/run}" "${CACHE_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/mod_ratings}"
    HTTPD_USER=$(id -un) HTTPD_GROUP=$(id -gn)
fi
case $RUN_DIR in /*) ;; *) RUN_DIR=$PWD/$RUN_DIR ;; esac
case $CACHE_DIR in /*) ;; *) CACHE_DIR=$PWD/$CACHE_DIR ;; esac

: "${HTTP_PORT:=8080}" "${PG_PORT:=5432}" "${REDIS_PORT:=6379}" "${KAFKA_PORT:=9092}" "${LAMBDA_PORT:=9000}"
# following NAME PORT BEYOND: gives NAME a default, so far beyond the port; a wrong port is reported later
following() {
    case ${!2-} in '' | *[!0-9]*) ;; *) [ -n "${!1-}" ] || printf -v "$1" %d $((${!2} + $3)) ;; esac
}
following KAFKA_CONTROLLER_PORT KAFKA_PORT 1
following KAFKA_PROXIED_PORT KAFKA_PORT 2
following KAFKA_CLUSTER_PORT KAFKA_PORT 10
following REPLICA_PORT REDIS_PORT 1
for node in 1 2 3; do
    following "KAFKA_${node}_PORT" KAFKA_CLUSTER_PORT $((node * 2 - 2))
    following "KAFKA_${node}_CONTROLLER_PORT" KAFKA_CLUSTER_PORT $((node * 2 - 1))
done
: "${LAMBDA_PROCESSES:=2}" "${KAFKA_JVM_OPTIONS:=}" "${KAFKA_ADVERTISED_PORT:=}"
: "${OUT:=$top/out}" "${APXS:=apxs}" "${JAVA:=java}"
case $OUT in /*) ;; *) OUT=$top/$OUT ;; esac
: "${MODULE:=$OUT/mod_ratings.so}" "${LAMBDA_BOOTSTRAP:=$OUT/lambda/bootstrap}"
case $MODULE in /*) ;; *) MODULE=$top/$MODULE ;; esac

TALKS_CONNECTION="postgres://postgres:postgres@127.0.0.1:$PG_PORT/postgres?sslmode=disable"
RATINGS_CONNECTION="redis://127.0.0.1:$REDIS_PORT"
STREAMS_CONNECTION="127.0.0.1:$KAFKA_PORT"
RATINGS_LAMBDA_URL="http://127.0.0.1:$LAMBDA_PORT/"
connections=(TALKS_CONNECTION RATINGS_CONNECTION STREAMS_CONNECTION RATINGS_LAMBDA_URL)
# of the servers that run only when they are named
CLUSTER_CONNECTION="127.0.0.1:${KAFKA_1_PORT-},127.0.0.1:${KAFKA_2_PORT-},127.0.0.1:${KAFKA_3_PORT-}"
REPLICA_CONNECTION="redis://127.0.0.1:${REPLICA_PORT-}"
spare_connections=(CLUSTER_CONNECTION REPLICA_CONNECTION)

# artifact NAME FILE...: where the artifact is kept that the files define
declare -A artifact_dir
artifact() {
    local sum
    sum=$(cat "${@:2}" | cksum)
    artifact_dir[$1]=$CACHE_DIR/$1-${sum%% *}
}
artifact kafka "$top/build/deps/kafka/pom.xml"
artifact cargo-lambda "$top/build/deps/cargo-lambda.txt"
artifact ministack "$top/build/deps/ministack.txt"
artifact go "$top/build/deps/go.txt"
artifact redis-6 "$top/build/deps/redis-6.txt"
artifact node "$top/build/deps/node"/{node.txt,package-lock.json}
artifact movielens "$top/build/deps/movielens.txt"
artifact pretalx "$top/build/deps/pretalx.txt"
artifact arm64 "$top/build/deps/arm64.txt"
artifact cfn-lint "$top/build/deps/cfn-lint.txt"
artifact check-jsonschema "$top/build/deps/check-jsonschema.txt"
artifact universalmutator "$top/build/deps/universalmutator.txt"
artifact schemathesis "$top/build/deps/schemathesis.txt"
# another Kafka than that of make deps: a directory of jars
[ -z "${KAFKA_JARS:-}" ] || artifact_dir[kafka]=$KAFKA_JARS

# find_java: sets java_home and class_data. An archive of classes fits one build of one Java only; the
# size and time of its library of modules tell builds apart.
find_java() {
    local java
    java=$(command -v "$JAVA" || true)
    java=$(readlink -f "${java:-/nonexistent}" || true)
    java_home=${java%/bin/java}
    class_data=${artifact_dir[kafka]}/classes-$(stat -c %Y.%s "$java_home/lib/modules" 2>/dev/null || echo none).jsa
}

# The servers. `runs as` holds where root starts them; anybody else runs them all as themselves.
declare -A kind processes ports runs_as stop_signal up_within down_within
servers=()
while read -r server of list settings user signal up down; do
    servers+=("$server")
    kind[$server]=$of
    processes[$server]=${list//,/ }
    ports[$server]=${settings//,/ }
    runs_as[$server]=$user
    stop_signal[$server]=$signal
    up_within[$server]=$up
    down_within[$server]=$down
done <<'END'
postgres  postgres  postgres               PG_PORT                               postgres  INT   30  10
redis     redis     redis                  REDIS_PORT                            nobody    TERM  20  10
replica   redis     replica                REPLICA_PORT                          nobody    TERM  20  10
kafka     kafka     kafka                  KAFKA_PORT,KAFKA_CONTROLLER_PORT      nobody    TERM  60  15
kafka-1   kafka     kafka-1                KAFKA_1_PORT,KAFKA_1_CONTROLLER_PORT  nobody    TERM  60  15
kafka-2   kafka     kafka-2                KAFKA_2_PORT,KAFKA_2_CONTROLLER_PORT  nobody    TERM  60  15
kafka-3   kafka     kafka-3                KAFKA_3_PORT,KAFKA_3_CONTROLLER_PORT  nobody    TERM  60  15
lambda    lambda    lambda,lambda-runtime  LAMBDA_PORT                           nobody    TERM  20  5
httpd     httpd     httpd                  HTTP_PORT                             root      TERM  60  12
END
# columns: server, whose functions it uses, its processes, its ports, runs as, stop signal, seconds to come
# up, seconds to end
backends=(postgres redis kafka lambda) # what the service needs, and what is meant where none is named
declare -A groups=([cluster]='kafka-1 kafka-2 kafka-3')
