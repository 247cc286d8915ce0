"""Which server lies, when and how: drawn by lot, from a seed."""

import asyncio
import collections
import random

PHASE = (0.2, 1.2)  # seconds that a mood lasts
MOODS = (0, 0.03, 0.1, 0.3)  # of how many answers a server lies about one
SHARES = {"redis": 0.2}  # a lie of the store's has all of it rebuilt, as often as not: less is more
HONEST = 0.3  # how much of the time nobody lies


class Plan:
    """Moods of the servers, one after the other, and a deck of lies for each: a server tells all of its lies
    equally often, in an order drawn by lot."""

    def __init__(self):
        self.random = random.Random(0)
        self.rates, self.decks = {}, {}
        self.told = collections.Counter()
        self.at_truth = []  # called when the lies end
        self.task = None

    def begin(self, seed):
        self.random.seed(seed)
        self.task = asyncio.get_running_loop().create_task(self.run())

    async def run(self):
        while True:
            honest = self.random.random() < HONEST
            self.rates = {name: 0 if honest else self.random.choice(MOODS) * SHARES.get(name, 1) for name in self.decks}
            await asyncio.sleep(self.random.uniform(*PHASE))

    def end(self):
        if self.task:
            self.task.cancel()
        self.task, self.rates = None, {}
        for act in self.at_truth:
            act()

    def add(self, server, lies):
        """The lies that a server knows: a list of functions."""
        self.decks[server] = (lies, [])

    def lie(self, server, *about):
        """What to do in the place of the truth `about`, or None: the server tells the truth."""
        if self.random.random() >= self.rates.get(server, 0):
            return None
        lies, deck = self.decks[server]
        for _ in lies:
            if not deck:
                deck.extend(self.random.sample(lies, len(lies)))
            lie = deck.pop()
            steps = lie(self.random, *about)
            if steps is not None:
                self.told[f"{server} {lie.__name__.strip('_').replace('_', ' ')}"] += 1
                return steps
        return None


# ---- what a server does in the place of an answer: steps, each ("send", bytes), ("wait", seconds),
# ("close",), ("reset",) or ("silence",); after the last, the next answer is given. ----

SLOW = (0.02, 1.2)  # seconds; the module's own timeouts lie within


def slow(rng, whole):
    return [("wait", rng.uniform(*SLOW)), ("send", whole)]


def drip(rng, whole):
    """A few bytes at a time."""
    pieces = min(len(whole), rng.randint(2, 40))
    size = -(-len(whole) // pieces)
    steps = []
    for at in range(0, len(whole), size):
        steps += [("send", whole[at:at + size]), ("wait", rng.uniform(0.001, 0.06))]
    return steps


def cut(rng, whole):
    return [("send", whole[:rng.randrange(len(whole))]), ("close",)]


def close(_rng, _whole):
    return [("close",)]


def reset(rng, whole):
    return [("send", whole[:rng.randrange(len(whole))]), ("reset",)]


def silence(rng, whole):
    """The beginning, and then nothing, until the lies end."""
    return [("send", whole[:rng.randrange(len(whole))]), ("silence",)]


# ---- the steps, on a connection ----

class Gone(Exception):
    """The connection was ended on purpose."""


class Mouth:
    """Says to one client what the steps want."""

    def __init__(self, plan, writer):
        self.plan, self.writer = plan, writer
        self.mute = False
        plan.at_truth.append(self.wake)

    def forget(self):
        self.plan.at_truth.remove(self.wake)

    def wake(self):
        """Whoever hears nothing can hear nothing honest any more."""
        if self.mute:
            self.writer.transport.abort()

    async def say(self, steps):
        for name, *what in steps:
            await getattr(self, "do_" + name)(*what)

    async def do_send(self, piece):
        self.writer.write(piece)
        await self.writer.drain()

    async def do_wait(self, seconds):
        await asyncio.sleep(seconds)

    async def do_close(self):
        raise Gone

    async def do_reset(self):
        self.writer.transport.abort()
        raise Gone

    async def do_silence(self):
        self.mute = True
        await asyncio.Event().wait()
