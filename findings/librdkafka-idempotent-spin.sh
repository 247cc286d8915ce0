#!/usr/bin/env bash
# librdkafka: an idempotent producer (enable.idempotence=true) whose messages have to wait behind those in flight does
# not sleep meanwhile: its broker thread goes round without a pause until the broker answers. With a broker that takes
# 200 ms and 50 messages a second, this is 20 to 60% of a core; the same producer without idempotence, also with
# max.in.flight=5, takes 1%. Neither linger.ms=5 (the default) nor 0 makes a difference.
#
# Seen with: librdkafka 2.6.1 and 2.16.0 (of the wheels confluent-kafka 2.6.1 and 2.16.1 from PyPI) on their own mock
# broker, with test.mock.broker.rtt=200.
# Consequence: a producer that cares about CPU time hands librdkafka nothing that would have to wait: it keeps events until
# those in flight are acknowledged, and sends what has gathered as one batch. Pull request 4989 of confluentinc/librdkafka, open, is about
# the cause: it lets an idempotent producer use all of max.in.flight.
# Needs: Python 3.11 with pip, Linux on x86_64.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/finding.py" <<'PY'
import sys
import time

sys.path.insert(0, sys.argv[1])
import confluent_kafka

RTT_MS, PAUSE_S, SECONDS = 200, 0.02, 4


def cost(idempotent, linger_ms):
    """Microseconds of CPU time of the process for each message."""
    failed = []
    producer = confluent_kafka.Producer({
        "test.mock.num.brokers": 1, "test.mock.broker.rtt": RTT_MS, "enable.idempotence": idempotent, "acks": "all",
        "max.in.flight.requests.per.connection": 5, "linger.ms": linger_ms, "log_level": 3,
    })

    def delivered(error, message):
        if error:
            failed.append(error)

    producer.produce("t", b"first", partition=0, on_delivery=delivered)
    producer.flush(20)
    used, count, until = time.process_time(), 0, time.monotonic() + SECONDS
    while time.monotonic() < until:
        producer.produce("t", b"v", partition=0, on_delivery=delivered)
        count += 1
        time.sleep(PAUSE_S)
        producer.poll(0)
    used = time.process_time() - used
    assert producer.flush(20) == 0 and not failed, failed
    return used / count * 1e6


print("librdkafka", confluent_kafka.libversion()[0])
for linger_ms in (5, 0):
    plain, idempotent = cost(False, linger_ms), cost(True, linger_ms)
    print("  linger.ms=%d: %.0f us of CPU time a message, idempotent %.0f" % (linger_ms, plain, idempotent), file=sys.stderr)
    print("  linger.ms=%d, idempotent: %s" % (linger_ms, "more than 5 times the CPU time" if idempotent > 5 * plain else "about the same"))
PY
try() {
    python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: --target "$work/$1" "confluent-kafka==$1"
    timeout 120 python3 "$work/finding.py" "$work/$1"
}
seen=$(try 2.6.1; try 2.16.1)
printf '%s\n' "$seen"
expected='librdkafka 2.6.1
  linger.ms=5, idempotent: more than 5 times the CPU time
  linger.ms=0, idempotent: more than 5 times the CPU time
librdkafka 2.16.0
  linger.ms=5, idempotent: more than 5 times the CPU time
  linger.ms=0, idempotent: more than 5 times the CPU time'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
