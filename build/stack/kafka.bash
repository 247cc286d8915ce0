# shellcheck shell=bash
# Apache Kafka: nodes that are broker and controller in one (KRaft), one alone (kafka) or a cluster of three
# (kafka-1 ...). No topic is made: that is the service's.

# find_kafka SERVER: sets kafka_java, the command up to the class. A start is all that the JIT gets to see
# here, so its first stage will do.
find_kafka() {
    find_java
    [ -x "$java_home/bin/java" ] || die "no $JAVA in PATH: make deps"
    [ -e "${artifact_dir[kafka]}/.complete" ] || die "no Kafka in $CACHE_DIR: make deps"
    local jars heap=-Xmx256m
    [ "$1" != kafka ] || heap=-Xmx384m
    printf -v jars '%s:' "${artifact_dir[kafka]}"/*.jar # in order: the archive of classes holds for this list
    kafka_java=("$java_home/bin/java" -Xms256m "$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData
        -Djava.io.tmpdir="$RUN_DIR/$1/tmp" -Dorg.slf4j.simpleLogger.showDateTime=true
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS"
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info)
    [ ! -s "$class_data" ] || [ -n "$KAFKA_JVM_OPTIONS" ] || kafka_java+=("-XX:SharedArchiveFile=$class_data")
    # shellcheck disable=SC2206 # several options
    kafka_java+=($KAFKA_JVM_OPTIONS -cp "${jars%:}")
}

prepare_kafka() {
    local dir=$RUN_DIR/$2
    local -a drop
    own_dir "$dir" "$1"
    own_dir "$dir/tmp" "$1"
    kafka_settings "$2" >"$dir/server.properties"
    chmod 644 "$dir/server.properties"
    [ ! -e "$dir/data/meta.properties" ] || return 0
    find_kafka "$2"
    as "$1"
    # no archive is written by this one
    (cd "$dir" && "${drop[@]}" "${clean_env[@]}" "${kafka_java[@]/#-XX:ArchiveClassesAtExit*/-Xshare:auto}" \
        kafka.tools.StorageTool format -t "$(kafka_cluster_id)" -c "$dir/server.properties") \
        >>"$RUN_DIR/log/$2.log" 2>&1 </dev/null ||
        die "Kafka's storage could not be formatted (log: $RUN_DIR/log/$2.log)"
}

# The nodes of a cluster are prepared beside each other and need the same. One that began with '-' would be
# taken for an option.
kafka_cluster_id() {
    md5sum <<<"$RUN_DIR" | cut -c -32 | tr a-f A-F | basenc --decode --base16 | basenc --base64url | tr -d = | tr - _
}

# The voters are written here and not into the storage (format --standalone), so that the same data
# starts on another port.
kafka_settings() {
    case $1 in
    kafka) kafka_node 1 1 "1@127.0.0.1:$KAFKA_CONTROLLER_PORT" "$KAFKA_PORT" "$KAFKA_CONTROLLER_PORT" ;;
    *) kafka_member "${1#kafka-}" ;;
    esac
    cat <<END
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$RUN_DIR/$1/data
process.roles=broker,controller
auto.create.topics.enable=false
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# after a crash the broker is let in again only when its former self has timed out
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
END
}

# kafka_member ID: a node of the cluster
kafka_member() {
    local id voters='' port="KAFKA_$1_PORT" controller
    for id in 1 2 3; do
        controller=KAFKA_${id}_CONTROLLER_PORT
        voters+=${voters:+,}$id@127.0.0.1:${!controller}
    done
    controller=KAFKA_$1_CONTROLLER_PORT
    kafka_node "$1" 3 "$voters" "${!port}" "${!controller}"
}

# kafka_node ID NODES VOTERS PORT CONTROLLER_PORT. On three nodes, two must have what is acknowledged.
kafka_node() {
    local listeners=PLAINTEXT://127.0.0.1:$4 advertised=PLAINTEXT://127.0.0.1:$4 name
    # clients that come in through a proxy are sent to the proxy again, all others past it
    if [ "$2" -eq 1 ] && [ -n "$KAFKA_ADVERTISED_PORT" ]; then
        listeners+=,PROXIED://127.0.0.1:$KAFKA_PROXIED_PORT advertised+=,PROXIED://127.0.0.1:$KAFKA_ADVERTISED_PORT
    fi
    cat <<END
node.id=$1
controller.quorum.voters=$3
listeners=$listeners,CONTROLLER://127.0.0.1:$5
advertised.listeners=$advertised
offsets.topic.replication.factor=$2
END
    for name in transaction.state.log share.coordinator.state.topic; do
        printf '%s.replication.factor=%d\n%s.min.isr=%d\n' "$name" "$2" "$name" $((($2 + 1) / 2))
    done
}

launch_kafka() {
    find_kafka "$2"
    launch "$2" "$RUN_DIR/$2" "$1" "${kafka_java[@]}" kafka.Kafka "$RUN_DIR/$2/server.properties"
}

# It listens before it answers; and kcat, refused, would wait a whole second before it tries again.
ready_kafka() {
    local port=${ports[$1]%% *}
    port_taken "${!port}" && kcat -L -m 5 -b "127.0.0.1:${!port}" >/dev/null 2>&1
}

# kafka_tool CLASS ARGUMENT...: one of org.apache.kafka.tools, told where the broker is; or another, by its
# full name
kafka_tool() {
    local class=$1
    shift
    find_kafka kafka
    case $class in kafka.*) ;; *) class=org.apache.kafka.tools.$class ;; esac
    exec "${kafka_java[@]}" "$class" "$@"
}
