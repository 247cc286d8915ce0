"""A server in front of another: connections, and both directions of each."""

import asyncio
import contextlib

from plan import Gone, Mouth

PIECE = 65536


class Relay:
    """Listens for clients; `talk` has one conversation, between client and backend."""

    def __init__(self, plan, backend_port):
        self.plan, self.backend_port = plan, backend_port
        self.open, self.tasks = 0, set()  # asyncio itself keeps no hold of a task

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        mouth = Mouth(self.plan, writer)
        self.open += 1
        self.tasks.add(asyncio.current_task())
        back_writer = None
        try:
            with contextlib.suppress(OSError, EOFError, Gone, asyncio.CancelledError):
                back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.backend_port)
                await self.both(self.talk(reader, mouth, back_reader, back_writer))
        finally:
            self.open -= 1
            self.tasks.discard(asyncio.current_task())
            mouth.forget()
            for end in (writer, back_writer):
                if end:
                    end.close()

    async def both(self, directions):
        """Until one of them ends."""
        tasks = [asyncio.create_task(direction) for direction in directions]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for error in [task.exception() for task in done]:
            if error:
                raise error
