#!/usr/bin/env bash
# Apache Kafka: a topic with replication factor 1 and min.insync.replicas=2 acknowledges acks=all writes at
# once. The number of replicas that a write needs is the smaller of min.insync.replicas and the topic's
# replication factor, so the setting protects nothing where the factor is below it, and no error tells.
#
# Seen with: Apache Kafka 4.1.2 (org.apache.kafka:kafka_2.13 and kafka-tools from Maven Central), one broker
# in KRaft mode, kafka.tools.ConsoleProducer of the same version.
# Consequence: a check of durability compares min.insync.replicas with the replication factor; acks=all and
# min.insync.replicas=2 together prove nothing.
# Needs: Java 17, Maven.
set -euo pipefail

work=$(mktemp -d)
broker=
stop() {
    [ -z "$broker" ] || kill "$broker" 2>/dev/null || true
    [ -z "$broker" ] || wait "$broker" 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT

cat >"$work/pom.xml" <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.2</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>4.1.2</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
mvn -B -q -ntp -f "$work/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$work/jars"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) controller=$(free_port)
cat >"$work/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
log.dirs=$work/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
CONF
run() { java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$work/jars/*" "$@"; }

run kafka.tools.StorageTool format --standalone -t MDEyMzQ1Njc4OWFiY2RlZg -c "$work/server.properties" >"$work/format.log" 2>&1
run kafka.Kafka "$work/server.properties" >"$work/broker.log" 2>&1 &
broker=$!
topics() { run org.apache.kafka.tools.TopicCommand --bootstrap-server "127.0.0.1:$port" "$@"; }
for _ in $(seq 60); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$broker" || { tail "$work/broker.log" >&2; exit 2; }
    sleep 0.5
done
timeout 60 bash -c "$(declare -f run topics); work=$work port=$port; topics --create --topic t --partitions 1 --replication-factor 1 --config min.insync.replicas=2" >"$work/create.log" 2>&1
version=$(timeout 60 bash -c "$(declare -f run topics); work=$work port=$port; topics --version" 2>/dev/null | cut -d' ' -f1)
description=$(timeout 60 bash -c "$(declare -f run topics); work=$work port=$port; topics --describe --topic t" 2>/dev/null |
    grep -oE 'ReplicationFactor: [0-9]+|min.insync.replicas=[0-9]+' | sort -u | paste -sd ' ')
# an error of the producer (NotEnoughReplicasException) would go to its standard error
produced=$(echo v | timeout 60 bash -c "$(declare -f run); work=$work; run org.apache.kafka.tools.ConsoleProducer --bootstrap-server 127.0.0.1:$port --topic t \
    --producer-property acks=all --producer-property retries=0 --producer-property enable.idempotence=false" 2>&1 | grep -ci 'exception\|error' || true)
read -r records < <(timeout 60 bash -c "$(declare -f run); work=$work; run org.apache.kafka.tools.GetOffsetShell --bootstrap-server 127.0.0.1:$port --topic t" 2>/dev/null)

seen="Kafka $version: $description
errors of a producer with acks=all: $produced
log end: $records"
printf '%s\n' "$seen"
expected='Kafka 4.1.2: ReplicationFactor: 1 min.insync.replicas=2
errors of a producer with acks=all: 0
log end: t:0:1'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
