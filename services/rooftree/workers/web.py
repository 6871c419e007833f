"""
The worker that serves HTTP.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from rooftree.errors import UsageError
from rooftree.telemetry.logs import Action, log

__all__ = ["WebServer"]

_GRACE_SECONDS = 3


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals are the supervisor's; uvicorn would take them away from it.
        yield


class WebServer:
    """
    An HTTP server on a port that is taken at once, so that its address is known before it runs.

    Args:
        app: What answers.
        host: The address to listen on.
        port: The port; 0 for a free one.
        trusted_proxies: Addresses whose word is taken for where a request came from, with commas between.
        most_connections: How many at a time; others are turned away.

    Attributes:
        app: What answers.
        url: Where it listens.

    Raises:
        UsageError: The port cannot be taken.
    """

    def __init__(
        self, app: ASGIApp, host: str, port: int, *, trusted_proxies: str = "", most_connections: int | None = None
    ) -> None:
        self.app = app
        self._socket = _listening(host, port)
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._socket.getsockname()[1]}"
        self._server = _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Without a proxy that is named, anybody could call himself by any address.
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=trusted_proxies,
                limit_concurrency=most_connections,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    async def serve(self, stop: asyncio.Event) -> None:
        """
        Answer requests until *stop* is set; those in hand are finished first, within seconds.
        """
        log().info(Action.API_STARTED, url=self.url)
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            self._server.should_exit = True
            await serving
        finally:
            stopping.cancel()
            serving.cancel()
            self._socket.close()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once on sockets that say that they are TCP; others wait 40 ms for the client.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}", place="ROOFTREE_HTTP_PORT"
        ) from error
    return listener
