"""
A network between two programs that can be cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Proxy", "open_proxy"]

_BYTES = 64 * 1024


class Proxy:
    """
    Passes TCP connections on to a server.

    Attributes:
        target: The ``HOST:PORT`` of the server; a later connection goes where it says then.
        address: The ``HOST:PORT`` at which it listens.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.address = ""
        self._open = asyncio.Event()
        self._open.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    def hold(self) -> None:
        """
        Let no byte through from now on; connections stay, and to both sides it looks like silence.
        """
        self._open.clear()

    def cut(self) -> None:
        """
        Break all connections, and let no new one in.
        """
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """
        Let everything through again, also what was held back.
        """
        self._is_cut = False
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Pass one connection on until either side ends it.
        """
        host, _, port = self.target.rpartition(":")
        await self._open.wait()
        try:
            if self._is_cut:
                raise ConnectionRefusedError
            server_reader, server_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, server_writer}
        self._writers |= ends
        ways = [
            asyncio.ensure_future(self._pass_on(reader, server_writer)),
            asyncio.ensure_future(self._pass_on(server_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await reader.read(_BYTES):
                await self._open.wait()
                writer.write(some)
                await writer.drain()
            # Who has said all may still want to hear: the other way ends by itself.
            await asyncio.sleep(0.1)


@asynccontextmanager
async def open_proxy(target: str) -> AsyncIterator[Proxy]:
    """
    Listen on a free port of this machine while the context lasts.
    """
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    host, taken = server.sockets[0].getsockname()[:2]
    proxy.address = f"{host}:{taken}"
    try:
        yield proxy
    finally:
        proxy.mend()
        proxy.cut()
        server.close()
