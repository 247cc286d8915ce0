#!/usr/bin/env bash
# librdkafka before 2.6.1: no login by SASL SCRAM to Apache Kafka 4, with the right user and password. The client's last
# message repeats the client's nonce before the server's, which begins with it already. Kafka compared the ends of the two up
# to 3.9, and compares the whole since (RFC 5802, section 5.1). The broker's answer is that of a wrong password.
#
# Seen with: librdkafka 2.0.2 (kcat 1.7.1 of Debian 12), Apache Kafka 4.1.2 (from Maven Central), one broker in KRaft mode.
# https://github.com/confluentinc/librdkafka/pull/4895
# Consequence: the error log names the version beside the refused login; on Debian 12 log in by PLAIN over TLS, or by certificate.
# Needs: Java 17, Maven, kcat.
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
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
mvn -B -q -ntp -f "$work/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$work/jars"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) sasl=$(free_port) controller=$(free_port)
cat >"$work/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,SASL_PLAINTEXT://127.0.0.1:$sasl,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_u="right";
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
log.dirs=$work/data
offsets.topic.replication.factor=1
CONF
run() { java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$work/jars/*" "$@"; }

run kafka.tools.StorageTool format --standalone -t MDEyMzQ1Njc4OWFiY2RlZg -c "$work/server.properties" \
    --add-scram 'SCRAM-SHA-512=[name=u,password=right]' >"$work/format.log" 2>&1
run kafka.Kafka "$work/server.properties" >"$work/broker.log" 2>&1 &
broker=$!
for _ in $(seq 60); do
    ! kcat -q -L -m 1 -b "127.0.0.1:$port" >/dev/null 2>&1 || break
    kill -0 "$broker" || { tail "$work/broker.log" >&2; exit 2; }
    sleep 0.5
done

# log_in MECHANISM: what becomes of the right password
log_in() {
    if kcat -L -m 10 -b "127.0.0.1:$sasl" -X security.protocol=SASL_PLAINTEXT -X "sasl.mechanisms=$1" -X sasl.username=u -X sasl.password=right >"$work/login" 2>&1; then
        echo in
    else
        grep -oE 'invalid credentials' "$work/login" | head -n 1
    fi
}

seen="$(kcat -V | grep -oE 'librdkafka [0-9.]+')
PLAIN: $(log_in PLAIN)
SCRAM-SHA-512: $(log_in SCRAM-SHA-512)"
printf '%s\n' "$seen"
expected='librdkafka 2.0.2
PLAIN: in
SCRAM-SHA-512: invalid credentials'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
