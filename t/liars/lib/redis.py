"""A Redis whose replies are not to be trusted. What is asked goes to the real one as it is; a reply
is never changed into another that could be true: that, nobody could know."""

import collections

from plan import close, cut, drip, reset, silence, slow
from relay import PIECE, Relay

# ---- the protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/ ----


def end_of(data, at):
    """Where the reply or command that begins at `at` ends; -1: further on."""
    line = data.find(b"\r\n", at)
    if line < 0:
        return -1
    kind, rest, end = data[at:at + 1], data[at + 1:line], line + 2
    if kind == b"$":
        end += max(int(rest) + 2, 0) if int(rest) >= 0 else 0
        return end if end <= len(data) else -1
    if kind == b"*":
        for _ in range(max(int(rest), 0)):
            end = end_of(data, end)
            if end < 0:
                return -1
    return end


def parse(data, at=0):
    """A reply as a tree: lists, and bytes as they are on the wire. The tree, and its end."""
    line = data.index(b"\r\n", at)
    if data[at:at + 1] != b"*" or data[at + 1:line] == b"-1":
        end = end_of(data, at)
        return data[at:end], end
    elements, end = [], line + 2
    for _ in range(int(data[at + 1:line])):
        element, end = parse(data, end)
        elements.append(element)
    return elements, end


def wire(tree):
    if isinstance(tree, bytes):
        return tree
    return b"*%d\r\n" % len(tree) + b"".join(map(wire, tree))


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


def text_of(leaf):
    return leaf.partition(b"\r\n")[2][:-2] if leaf[:1] == b"$" else leaf[1:-2]


# ---- trees ----

def places(tree, path=()):
    """Paths to all leaves."""
    if isinstance(tree, bytes):
        yield path
        return
    for at, element in enumerate(tree):
        yield from places(element, path + (at,))


def at(tree, path):
    for step in path:
        tree = tree[step]
    return tree


def with_leaf(tree, path, leaf):
    if not path:
        return leaf
    return [with_leaf(element, path[1:], leaf) if i == path[0] else element for i, element in enumerate(tree)]


def may_be_counts(tree):
    """Five in a row: absent means none there, and any number could be true."""
    return isinstance(tree, list) and len(tree) == 5


def may_be_absent(tree, path):
    """A count, or what a script reads beside the log's own fields: a key's use, a bar, a voter's rating."""
    reads_beside = len(path) == 2 and len(tree) == 2 and all(isinstance(part, list) for part in tree)
    return may_be_counts(at(tree, path[:-1])) or (reads_beside and path[0] == 1)


# ---- lies ----

ERRORS = [
    b"NOAUTH Authentication required.", b"WRONGPASS invalid username-password pair or user is disabled.",
    b"NOPERM this user has no permissions to run the 'eval' command", b"OOM command not allowed when used memory > 'maxmemory'.",
    b"READONLY You can't write against a read only replica.", b"LOADING Redis is loading the dataset in memory",
    b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    b"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    b"NOSCRIPT No matching script. Please use EVAL.", b"WRONGTYPE Operation against a key holding the wrong kind of value",
    b"NOREPLICAS Not enough good replicas to write.", b"CLUSTERDOWN Hash slot not served", b"MOVED 3999 127.0.0.1:6381",
    b"ASK 3999 127.0.0.1:6381", b"TRYAGAIN Multiple keys request during rehashing of slot", b"EXECABORT Transaction discarded.",
    b"ERR max number of clients reached", b"ERR unknown command 'EVAL'", b"ERR Protocol error: invalid multibulk length", b"ERR",
    b"ERR Error running script (call to f_00): @user_script:1: -READONLY You can't write against a read only replica.",
    b"ERR Error running script (call to f_00): @user_script: 4: OOM command not allowed",
]
ODD = [b":5\r\n", b":-1\r\n", b"+OK\r\n", b"+\r\n", b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"$0\r\n\r\n", b"$1\r\nx\r\n",
       b"*1\r\n$1\r\nx\r\n", b"*2\r\n$-1\r\n$-1\r\n", b"*2\r\n*0\r\n*0\r\n", b"*2\r\n*5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n*0\r\n"]
# no count, position, generation, mark or cursor that the module has ever written
WRONG_TEXTS = [b"", b"-1", b"1x", b"x", b" 7", b"1e3", b"nan", b"9" * 16, b"9" * 30, b"0x10", b"\0", b"1\0", b"\xff\xfe", b"x" * 5000]


def error(rng, _command, _whole):
    return [("send", b"-" + rng.choice(ERRORS) + b"\r\n")]


def error_within(rng, _command, whole):
    """An error in the place of a part, as a script passes it on."""
    return leaf_lie(rng, whole, lambda: b"-" + rng.choice(ERRORS) + b"\r\n")


def wrong_type(rng, _command, whole):
    lies = [odd for odd in ODD if odd != whole]
    return [("send", rng.choice(lies))]


def leaf_lie(rng, whole, make, paths=None):
    tree, _ = parse(whole)
    paths = list(places(tree)) if paths is None else paths
    if not paths:
        return None
    return [("send", wire(with_leaf(tree, rng.choice(paths), make())))]


def wrong_value(rng, _command, whole):
    return leaf_lie(rng, whole, lambda: bulk(rng.choice(WRONG_TEXTS)))


def wrong_part(rng, _command, whole):
    """A part is of another type; but an integer for a number could be true."""
    return leaf_lie(rng, whole, lambda: rng.choice([b"*0\r\n", b"*1\r\n$1\r\n1\r\n", b":-5\r\n", b"+\r\n"]))


def nil(rng, _command, whole):
    tree, _ = parse(whole)
    paths = [path for path in places(tree) if not may_be_absent(tree, path)]
    return leaf_lie(rng, whole, lambda: b"$-1\r\n", paths)


def number_lie(rng, whole, change):
    tree, _ = parse(whole)
    paths = [path for path in places(tree) if not may_be_counts(at(tree, path[:-1])) and text_of(at(tree, path)).isdigit()]
    if not paths:
        return None
    path = rng.choice(paths)
    number = change(int(text_of(at(tree, path))))
    return None if number is None else leaf_lie(rng, whole, lambda: bulk(b"%d" % number), [path])


def ahead(rng, _command, whole):
    """A position far beyond the end of the log; but beside counts it could be true when they are read."""
    tree, _ = parse(whole)
    has_counts = isinstance(tree, list) and any(map(may_be_counts, tree))
    return None if has_counts else number_lie(rng, whole, lambda number: number + 1_000_000)


def back(rng, _command, whole):
    """A position that has been passed."""
    return number_lie(rng, whole, lambda number: rng.randrange(number // 2) if number > 2000 else None)


def is_scan(command):
    """Which keys there are, is what nobody could know."""
    return b"\r\nSCAN\r\n" in command


def array_lie(rng, whole, change):
    tree, _ = parse(whole)
    arrays = sorted({path[:i] for path in places(tree) for i in range(len(path))})
    if not arrays:
        return None
    changed = parse(whole)[0]
    change(at(changed, rng.choice(arrays)))
    return [("send", wire(changed))]


def one_less(rng, _command, whole):
    return array_lie(rng, whole, lambda array: array.pop())


def one_more(rng, _command, whole):
    return array_lie(rng, whole, lambda array: array.append(rng.choice([array[-1], b"$-1\r\n", b":1\r\n"])))


def reply_too_many(rng, _command, whole):
    return [("send", whole + rng.choice([whole, b"+OK\r\n", b"$-1\r\n", b"*0\r\n", b"-ERR unknown\r\n"]))]


def late_reply_too_many(rng, _command, whole):
    return [("send", whole), ("wait", 0.02), ("send", rng.choice([whole, b"+OK\r\n", b"*0\r\n"]))]


def reply_missing(_rng, _command, _whole):
    return []


def huge_array(rng, _command, whole):
    """Far more is announced than comes; the number itself is modest."""
    return [("send", b"*%d\r\n" % rng.choice([100, 5000, 100_000]) + whole), ("silence",)]


def huge_text(rng, _command, _whole):
    return [("send", b"$%d\r\nabc" % rng.choice([10_000, 1_000_000])), ("silence",)]


def no_redis(_rng, _command, _whole):
    return [("send", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), ("close",)]


def of_whole(lie):
    def wrapped(rng, _command, whole):
        return lie(rng, whole)
    wrapped.__name__ = lie.__name__
    return wrapped


def but_for_scan(lie):
    def wrapped(rng, command, whole):
        return None if is_scan(command) else lie(rng, command, whole)
    wrapped.__name__ = lie.__name__
    return wrapped


PARTIAL = [error_within, wrong_value, wrong_part, nil, ahead, back, one_less, one_more]
LIES = [error, wrong_type, reply_too_many, late_reply_too_many, reply_missing, huge_array, huge_text, no_redis]
LIES += list(map(but_for_scan, PARTIAL)) + list(map(of_whole, (slow, drip, cut, close, reset, silence)))


# ---- the server ----

class Redis(Relay):
    def __init__(self, plan, backend_port):
        super().__init__(plan, backend_port)
        plan.add("redis", LIES)

    def talk(self, reader, mouth, back_reader, back_writer):
        asked = collections.deque()
        return self.ask(reader, back_writer, asked), self.answer(back_reader, mouth, asked)

    async def ask(self, reader, back_writer, asked):
        data = b""
        while piece := await reader.read(PIECE):
            data += piece
            while data and (end := end_of(data, 0)) > 0:
                asked.append(data[:64])
                back_writer.write(data[:end])
                data = data[end:]
            await back_writer.drain()

    async def answer(self, back_reader, mouth, asked):
        data = b""
        while piece := await back_reader.read(PIECE):
            data += piece
            while data and (end := end_of(data, 0)) > 0:
                whole, data = data[:end], data[end:]
                command = asked.popleft()
                steps = self.plan.lie("redis", command, whole)
                await mouth.say([("send", whole)] if steps is None else steps)
