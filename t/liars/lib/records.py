"""Records that others have written into the log, by a real producer. None of them may count for a
talk that the clients rate; those that count are of talks of their own, one for each partition."""

import asyncio
import itertools
import json

numbers = itertools.count(1)


def event(talk, **more):
    return json.dumps(dict({"version": 1, "talkId": talk, "value": 3}, **more), separators=(",", ":"))


def line(key, value):
    return f"{key}\t{value}\n".encode()


# ---- each: options of kcat, and its input, keys and values with a tab between ----

def no_event(rng, talk, _own):
    values = ["x", "{}", "[]", "null", "{", '"text"', "\x01", "é", "[" * 50, event(talk)[:-1], event(talk) + "x"]
    return [], line(talk, rng.choice(values))


def wrong_member(rng, talk, _own):
    wrong = [{"version": 2}, {"version": "1"}, {"value": 0}, {"value": 6}, {"value": "5"}, {"value": 5.0}, {"value": None},
             {"talkId": ""}, {"talkId": 5}, {"talkId": "x" * 256}, {"idempotencyKey": ""}, {"idempotencyKey": "k"},
             {"idempotencyKey": 5, "idempotencyWindow": 5}, {"idempotencyKey": "k", "idempotencyWindow": -1}]
    return [], line(talk, event(talk, **rng.choice(wrong)))


def wrong_key(_rng, talk, own):
    return [], line(own, event(talk))


def no_key(_rng, talk, _own):
    return [], line("", event(talk))


def tombstone(_rng, talk, _own):
    return ["-Z"], line(talk, "")


def huge(_rng, talk, _own):
    return ["-X", "message.max.bytes=990000"], line(talk, event(talk, more="x" * 900_000))


def many_headers(_rng, talk, _own):
    return [word for i in range(50) for word in ("-H", f"h{i}={'v' * 50}")], line(talk, "no event")


def duplicate_headers(_rng, _talk, own):
    number = next(numbers)
    headers = ["-H", "ce_source=/other", "-H", f"ce_id={number}", "-H", "ce_source=/liars", "-H", f"ce_id={number}", "-H", "ce_id="]
    return headers, line(own, event(own))


def same_id_twice(_rng, _talk, own):
    return ["-H", "ce_source=/liars", "-H", f"ce_id=twice-{next(numbers)}"], line(own, event(own)) * 2


def same_key_twice(_rng, _talk, own):
    return [], line(own, event(own, idempotencyKey=f"k{next(numbers)}", idempotencyWindow=60000)) * 2


def batch(rng, talk, own):
    return ["-z", rng.choice(["gzip", "snappy", "lz4", "zstd"])], (line(own, event(own)) + line(talk, "x")) * 50


def transaction(_rng, _talk, own):
    return ["-X", f"transactional.id=liars-{next(numbers) % 3}"], line(own, event(own)) * 3


def raw_bytes(rng, talk, _own):
    return [], talk.encode() + b"\t" + bytes(rng.choice(range(11, 256)) for _ in range(40)).replace(b"\n", b"") + b"\n"


KINDS = [no_event, wrong_member, wrong_key, no_key, tombstone, huge, many_headers, duplicate_headers, same_id_twice, same_key_twice,
         batch, transaction, raw_bytes]


class Records:
    """Writes a record now and then while the plan wants it."""

    def __init__(self, plan, brokers, topic, talks, own):
        self.plan, self.brokers, self.topic, self.talks, self.own = plan, brokers, topic, talks, own
        self.failed = 0
        plan.add("kafka", KINDS)

    async def run(self):
        while True:
            await asyncio.sleep(0.05)
            rng = self.plan.random
            partition = rng.randrange(len(self.own))  # of a talk, as those of the service: always the same
            made = self.plan.lie("kafka", rng.choice(self.talks), self.own[partition])
            if made:
                await self.write(partition, *made)

    async def write(self, partition, options, text):
        kcat = await asyncio.create_subprocess_exec(
            "timeout", "20", "kcat", "-P", "-q", "-b", self.brokers, "-t", self.topic, "-p", str(partition), "-K", "\t",
            *options, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
        await kcat.communicate(text)
        self.failed += kcat.returncode != 0
