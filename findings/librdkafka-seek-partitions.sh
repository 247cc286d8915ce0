#!/usr/bin/env bash
# librdkafka: after a partition has stopped with _AUTO_OFFSET_RESET (auto.offset.reset=error, the offset is
# out of range), rd_kafka_seek_partitions() to a valid offset returns success (no error object), while the
# partition's own element holds _STATE, and nothing is consumed from then on. Assigning the partition anew
# at the same offset consumes at once.
#
# Seen with: librdkafka 2.6.1 (of the wheel confluent-kafka 2.6.1 from PyPI) on its own mock broker; Debian
# 12's 2.0.2 does the same.
# Consequence: look at each element's error, and after an offset reset error assign again instead of seeking.
# Needs: Python 3 with pip.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 -d "$work" confluent-kafka==2.6.1
python3 -m zipfile -e "$work"/confluent_kafka-*.whl "$work/wheel"
cat >"$work/finding.py" <<'PY'
import ctypes, glob, os, sys

libraries = sorted(glob.glob(sys.argv[1] + "/confluent_kafka.libs/*.so*"))
for _ in range(len(libraries)):  # the wheel's libraries need each other, in an order of their own
    for path in libraries:
        try:
            ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
        except OSError:
            pass
rk = ctypes.CDLL([p for p in libraries if "librdkafka" in p][0])


class Partition(ctypes.Structure):
    _fields_ = [("topic", ctypes.c_char_p), ("partition", ctypes.c_int32), ("offset", ctypes.c_int64),
                ("metadata", ctypes.c_void_p), ("metadata_size", ctypes.c_size_t), ("opaque", ctypes.c_void_p),
                ("err", ctypes.c_int), ("_private", ctypes.c_void_p)]


class Partitions(ctypes.Structure):
    _fields_ = [("cnt", ctypes.c_int), ("size", ctypes.c_int), ("elems", ctypes.POINTER(Partition))]


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int)]


class Broker(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("host", ctypes.c_char_p), ("port", ctypes.c_int)]


class Metadata(ctypes.Structure):
    _fields_ = [("broker_cnt", ctypes.c_int), ("brokers", ctypes.POINTER(Broker))]


POINTERS = ["rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_topic_new", "rd_kafka_seek_partitions"]
for name in POINTERS:
    getattr(rk, name).restype = ctypes.c_void_p
rk.rd_kafka_consumer_poll.restype = ctypes.POINTER(Message)
rk.rd_kafka_topic_partition_list_new.restype = ctypes.POINTER(Partitions)
rk.rd_kafka_topic_partition_list_add.restype = ctypes.POINTER(Partition)
for name in ["rd_kafka_version_str", "rd_kafka_err2name"]:
    getattr(rk, name).restype = ctypes.c_char_p


def make(kind, settings):
    conf = ctypes.c_void_p(rk.rd_kafka_conf_new())
    why = ctypes.create_string_buffer(256)
    for name, value in settings.items():
        assert rk.rd_kafka_conf_set(conf, name.encode(), value.encode(), why, 256) == 0, why.value
    client = rk.rd_kafka_new(kind, conf, why, 256)
    assert client, why.value
    return ctypes.c_void_p(client)


producer = make(0, {"test.mock.num.brokers": "1", "log_level": "3"})
metadata = ctypes.POINTER(Metadata)()
assert rk.rd_kafka_metadata(producer, 1, None, ctypes.byref(metadata), 10000) == 0
broker = metadata.contents.brokers[0]
topic = ctypes.c_void_p(rk.rd_kafka_topic_new(producer, b"t", None))
for _ in range(10):
    assert rk.rd_kafka_produce(topic, 0, 2, b"v", ctypes.c_size_t(1), None, ctypes.c_size_t(0), None) == 0
assert rk.rd_kafka_flush(producer, 10000) == 0

consumer = make(1, {"bootstrap.servers": "%s:%d" % (broker.host.decode(), broker.port), "group.id": "g",
                    "auto.offset.reset": "error", "enable.auto.commit": "false"})
rk.rd_kafka_poll_set_consumer(consumer)


def poll(times, until=lambda records, error: False):
    records, error = 0, None
    for _ in range(times):
        message = rk.rd_kafka_consumer_poll(consumer, 100)
        if message:
            if message.contents.err:
                error = rk.rd_kafka_err2name(message.contents.err).decode()
            else:
                records += 1
            rk.rd_kafka_message_destroy(message)
        if until(records, error):
            break
    return records, error


partitions = rk.rd_kafka_topic_partition_list_new(1)
rk.rd_kafka_topic_partition_list_add(partitions, b"t", 0).contents.offset = 1000
assert rk.rd_kafka_assign(consumer, partitions) == 0
print("assigned at 1000 of 10:", poll(200, lambda records, error: error)[1])
partitions.contents.elems[0].offset = 0
error = rk.rd_kafka_seek_partitions(consumer, partitions, 5000)
print("seek to 0 as a whole:", "error" if error else "success")
print("seek to 0, its element:", rk.rd_kafka_err2name(partitions.contents.elems[0].err).decode())
print("records in 3 s:", poll(30)[0])
assert rk.rd_kafka_assign(consumer, partitions) == 0
print("records after assigning anew at 0:", poll(100, lambda records, error: records == 10)[0])
print("librdkafka", rk.rd_kafka_version_str().decode(), flush=True)
os._exit(0)
PY
seen=$(timeout 120 python3 "$work/finding.py" "$work/wheel")
printf '%s\n' "$seen"
expected='assigned at 1000 of 10: _AUTO_OFFSET_RESET
seek to 0 as a whole: success
seek to 0, its element: _STATE
records in 3 s: 0
records after assigning anew at 0: 10
librdkafka 2.6.1'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
