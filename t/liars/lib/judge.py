"""What clients may be told: what is known of each talk, and what is wrong with an answer."""

import collections
import json

VALUES = ("1", "2", "3", "4", "5")
ROUNDED = 0.005  # an average of two decimals is taken


class Talk:
    """Of each value: how often it was acknowledged, and sent with the chance that it counts."""

    def __init__(self, name):
        self.name = name
        self.visible = dict.fromkeys(VALUES, 0)  # 200
        self.recorded = dict.fromkeys(VALUES, 0)  # 200 or 202
        self.sent = dict.fromkeys(VALUES, 0)  # all but those that were certainly not recorded
        self.seen = dict.fromkeys(VALUES, 0)  # by a GET
        self.etag, self.told = None, None  # the last answer

    def least(self):
        """What a GET that begins now must count."""
        return {value: max(self.visible[value], self.seen[value]) for value in VALUES}


class Rating:
    """One that counts once, however often it is sent."""

    def __init__(self, talk, value):
        self.talk, self.value = talk, value
        self.doubtful = self.recorded = self.visible = False
        talk.sent[value] += 1

    def answered(self, status):
        """0: no answer."""
        if status == 200 and not self.visible:
            self.visible = True
            self.talk.visible[self.value] += 1
        if status in (200, 202) and not self.recorded:
            self.recorded = True
            self.talk.recorded[self.value] += 1
        self.doubtful |= status in (0, 504)

    def settle(self):
        """No more of it is sent."""
        if not self.recorded and not self.doubtful:
            self.talk.sent[self.value] -= 1


class Judge:
    def __init__(self):
        self.counts = collections.Counter()
        self.wrong = collections.Counter()
        self.samples = []
        self.longest = 0.0

    def fault(self, what, detail=""):
        self.wrong[what] += 1
        if self.wrong[what] <= 3:
            self.samples.append(f"{what}: {detail}"[:400])

    def answered(self, kind, answer, allowed, deadline):
        """Counts it; whether it is one of those that are documented, and came in time."""
        self.counts[f"{kind} {answer.status or answer.error}"] += 1
        self.longest = max(self.longest, answer.seconds)
        if answer.seconds > deadline:
            self.fault(f"{kind} too late", f"{answer.seconds:.2f} s, {answer.status}")
        if answer.status not in allowed:
            self.fault(f"{kind} {answer.status or answer.error}", repr(answer.body[:200]))
            return False
        return True

    def histogram(self, talk, answer, least):
        """A 200 of GET."""
        try:
            document = json.loads(answer.body)
            counts = document["ratings"]
            total = sum(counts[value] for value in VALUES)
        except (ValueError, KeyError, TypeError):
            return self.fault("GET malformed", repr(answer.body[:200]))
        for value in VALUES:
            if not least[value] <= counts[value] <= talk.sent[value]:
                self.fault("GET wrong count", f"{talk.name} {value}: {counts[value]} not in {least[value]}..{talk.sent[value]}")
            talk.seen[value] = max(talk.seen[value], min(counts[value], talk.sent[value]))
        self.statistics(counts, total, document.get("stats"))
        talk.etag, talk.told = answer.headers.get("etag"), counts

    def statistics(self, counts, total, stats):
        """What is not left out is true."""
        if stats is None:
            self.counts["GET without statistics"] += 1
            return
        truth = sum(int(value) * counts[value] for value in VALUES) / total if total else 0
        if stats["totalCount"] != total or abs(stats["avg"] - truth) > ROUNDED + 1e-9:
            self.fault("GET wrong statistics", f"{stats} of {counts}")

    def not_modified(self, talk, told, least):
        """A 304: what the client has is still to hold."""
        for value in VALUES:
            if told[value] < least[value]:
                self.fault("304 of old counts", f"{talk.name} {value}: {told[value]} < {least[value]}")

    def problem(self, answer):
        """An error's body, which gives nothing away."""
        try:
            document = json.loads(answer.body)
            good = document["status"] == answer.status and document["message"] == document["detail"]
        except (ValueError, KeyError):
            good = False
        if not good or (answer.status == 503 and "retry-after" not in answer.headers):
            self.fault("problem document", repr(answer.body[:300]))
        told = answer.body.partition(b'"instance"')[0]  # its id is drawn by lot, and may look like anything
        if any(word in told for word in (b"127.0.0.1", b"a lie", b"edis", b"ostgre", b"afka")):
            self.fault("problem gives away", repr(answer.body[:300]))
