# shellcheck shell=bash
# Apache Kafka: one node, broker and controller in one (KRaft). No topic is made: that is the service's.

kafka_dir=$RUN_DIR/kafka

# find_kafka: sets kafka_java, the command up to the class. A start is all that the JIT gets to see here,
# so its first stage will do.
find_kafka() {
    find_java
    [ -x "$java_home/bin/java" ] || die "no $JAVA in PATH: make deps"
    [ -e "${artifact_dir[kafka]}/.complete" ] || die "no Kafka in $CACHE_DIR: make deps"
    local jars
    printf -v jars '%s:' "${artifact_dir[kafka]}"/*.jar # in order: the archive of classes holds for this list
    kafka_java=("$java_home/bin/java" -Xms256m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData
        -Djava.io.tmpdir="$kafka_dir/tmp" -Dorg.slf4j.simpleLogger.showDateTime=true
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS"
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info)
    [ ! -s "$class_data" ] || [ -n "$KAFKA_JVM_OPTIONS" ] || kafka_java+=("-XX:SharedArchiveFile=$class_data")
    # shellcheck disable=SC2206 # several options
    kafka_java+=($KAFKA_JVM_OPTIONS -cp "${jars%:}")
}

prepare_kafka() {
    local -a drop
    own_dir "$kafka_dir" "$1"
    own_dir "$kafka_dir/tmp" "$1"
    kafka_settings >"$kafka_dir/server.properties"
    chmod 644 "$kafka_dir/server.properties"
    [ ! -e "$kafka_dir/data/meta.properties" ] || return 0
    find_kafka
    as "$1"
    # no archive is written by this one
    (cd "$kafka_dir" && "${drop[@]}" "${clean_env[@]}" "${kafka_java[@]/#-XX:ArchiveClassesAtExit*/-Xshare:auto}" \
        kafka.tools.StorageTool format -t "$(head -c 16 /dev/urandom | basenc --base64url | tr -d =)" \
        -c "$kafka_dir/server.properties") >>"$RUN_DIR/log/kafka.log" 2>&1 </dev/null ||
        die "Kafka's storage could not be formatted (log: $RUN_DIR/log/kafka.log)"
}

# The voters are written here and not into the storage (format --standalone), so that the same data
# starts on another port.
kafka_settings() {
    cat <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$KAFKA_CONTROLLER_PORT
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT
log.dirs=$kafka_dir/data
auto.create.topics.enable=false
# one node: one replica of everything
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# after a crash the broker is let in again only when its former self has timed out
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
END
}

launch_kafka() {
    find_kafka
    launch kafka "$kafka_dir" "$1" "${kafka_java[@]}" kafka.Kafka "$kafka_dir/server.properties"
}

# It listens before it answers; and kcat, refused, would wait a whole second before it tries again.
ready_kafka() { port_taken "$KAFKA_PORT" && kcat -L -m 5 -b "$STREAMS_CONNECTION" >/dev/null 2>&1; }

# kafka_tool CLASS ARGUMENT...: one of org.apache.kafka.tools, told where the broker is
kafka_tool() {
    local class=$1
    shift
    find_kafka
    exec "${kafka_java[@]}" "org.apache.kafka.tools.$class" "$@"
}
