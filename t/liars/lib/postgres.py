"""A PostgreSQL whose answers are not to be trusted."""

import struct

from plan import close, cut, drip, reset, silence, slow
from relay import PIECE, Relay

# ---- the protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html ----


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def fields(**texts):
    return b"".join(name.encode() + text.encode() + b"\0" for name, text in texts.items()) + b"\0"


def split(data):
    """Whole messages, and what is left."""
    messages, at = [], 0
    while len(data) >= at + 5:
        end = at + 1 + struct.unpack("!I", data[at + 1:at + 5])[0]
        if end > len(data):
            break
        messages.append(data[at:end])
        at = end
    return messages, data[at:]


READY = message(b"Z", b"I")


def complaint(severity, code):
    return message(b"E", fields(S=severity, V=severity, C=code, M="a lie"))


# ---- lies about a whole answer, a list of messages that ends with READY ----

STATES = """08006 0A000 0B000 0Z000 20000 21000 22003 22021 22P02 22P05 23505 24000 25006 25P02 26000 28000 2BP01 34000 3D000
3F000 40001 40P01 42501 42601 42703 42883 42P01 44000 53000 53100 53200 53300 53400 54000 54001 55000 55P03 57000 57014 57P01
57P02 57P03 58000 58030 72000 F0000 HV000 P0001 XX000 XX001""".split()


def sqlstate(rng, _messages):
    return [("send", complaint("ERROR", rng.choice(STATES)) + READY)]


def fatal(rng, _messages):
    return [("send", complaint("FATAL", rng.choice(["57P01", "57P02", "53300", "XX000", "25P03"]))), ("close",)]


def fatal_in_the_middle(_rng, messages):
    return [("send", b"".join(messages[:-2]) + complaint("FATAL", "57P01")), ("close",)]


def notice(rng, messages):
    more = message(b"N", fields(S="WARNING", V="WARNING", C="01000", M="x" * rng.choice([1, 5000])))
    return [("send", more * rng.choice([1, 20]) + b"".join(messages))]


def parameter(_rng, messages):
    return [("send", message(b"S", b"application_name\0x\0") + b"".join(messages))]


def notification(_rng, messages):
    return [("send", message(b"A", struct.pack("!I", 7) + b"channel\0payload\0") + b"".join(messages))]


def rows_lie(messages, change):
    changed = [new for old in messages for new in (change(old) if old[:1] == b"D" else [old])]
    return None if changed == messages else [("send", b"".join(changed))]


def no_row(_rng, messages):
    return rows_lie(messages, lambda row: [])


def many_rows(rng, messages):
    return rows_lie(messages, lambda row: [row] * rng.choice([2, 3, 500]))


def other_row(_rng, messages):
    return rows_lie(messages, lambda row: [message(b"D", struct.pack("!HI", 1, 5) + b"other")] if row[5:7] == b"\0\1" else [row])


def null(_rng, messages):
    return rows_lie(messages, lambda row: [message(b"D", row[5:7] + b"\xff\xff\xff\xff" * struct.unpack("!H", row[5:7])[0])])


COLUMN = b"more\0" + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0)


def column_too_many(_rng, messages):
    def more(old):
        count = struct.unpack("!H", old[5:7])[0] + 1 if old[:1] in (b"T", b"D") else 0
        end = {b"T": COLUMN, b"D": struct.pack("!I", 1) + b"1"}.get(old[:1])
        return message(old[:1], struct.pack("!H", count) + old[7:] + end) if end else old
    changed = list(map(more, messages))
    return None if changed == messages else [("send", b"".join(changed))]


def no_column(_rng, messages):
    changed = [message(old[:1], b"\0\0") if old[:1] in (b"T", b"D") else old for old in messages]
    return None if changed == messages else [("send", b"".join(changed))]


def answer_too_many(_rng, messages):
    return [("send", b"".join(messages) * 2)]


def answer_missing(_rng, _messages):
    return [("silence",)]


def of_whole(lie):
    def wrapped(rng, messages):
        return lie(rng, b"".join(messages))
    wrapped.__name__ = lie.__name__
    return wrapped


LIES = [sqlstate, fatal, fatal_in_the_middle, notice, parameter, notification, no_row, many_rows, other_row, null, column_too_many,
        no_column, answer_too_many, answer_missing] + [of_whole(lie) for lie in (slow, drip, cut, close, reset, silence)]

# ---- lies when a client comes ----


def not_now(rng, _whole):
    code = rng.choice(["57P03", "53300", "28P01", "28000", "3D000", "08P01", "42501", "XX000"])
    return [("send", complaint("FATAL", code)), ("close",)]


# ---- the server ----

class Postgres(Relay):
    def __init__(self, plan, backend_port):
        super().__init__(plan, backend_port)
        plan.add("postgresql", LIES)
        plan.add("postgresql at login", [not_now, slow, drip, cut, close, reset, silence])

    def talk(self, reader, mouth, back_reader, back_writer):
        return self.ask(reader, back_writer), self.answer(back_reader, mouth)

    async def ask(self, reader, back_writer):
        while piece := await reader.read(PIECE):
            back_writer.write(piece)
            await back_writer.drain()

    async def answer(self, back_reader, mouth):
        await self.login(back_reader, mouth)
        data, messages = b"", []
        while piece := await back_reader.read(PIECE):
            whole, data = split(data + piece)
            for one in whole:
                messages.append(one)
                if one[:1] == b"Z":
                    await self.give(mouth, messages)
                    messages = []

    async def give(self, mouth, messages):
        steps = self.plan.lie("postgresql", messages)
        await mouth.say([("send", b"".join(messages))] if steps is None else steps)

    async def login(self, back_reader, mouth):
        """Each piece until the server is ready for the first time: all that may be lied about is how
        it comes, and whether."""
        ready = False
        while not ready:
            piece = await back_reader.read(PIECE)
            if not piece:
                raise EOFError
            ready = piece.endswith(READY)
            steps = self.plan.lie("postgresql at login", piece)
            await mouth.say([("send", piece)] if steps is None else steps)
