"""
The application on a real server, and clients that speak to it as browsers, programs and attackers do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.routing import BaseRoute, Mount, Route
from tests.integration.service import eventually

from rooftree.access.caller import Organizations, Role
from rooftree.access.keeping import NewToken
from rooftree.access.tokens import digest_of, new_token
from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.web import open_backing, open_web_server
from rooftree.inquiry.jobs import Prepare
from rooftree.settings import Settings
from rooftree.store.access import DatabaseAccess
from rooftree.store.database import Database

__all__ = ["Answer", "Endpoint", "Service", "bearer", "endpoints", "serving"]

ADMIN = "the-token-of-the-admin"
SAFE = {"GET", "HEAD", "OPTIONS"}


def bearer(token: str) -> dict[str, str]:
    """
    Return the header of a token.
    """
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One method of one route of the application.
    """

    method: str
    path: str

    def filled(self, values: dict[str, str]) -> str:
        """
        Return its path with parameters filled in; those without a value are a letter.
        """
        return re.sub(r"{(\w+)(:\w+)?}", lambda match: values.get(match[1], "x"), self.path)

    @property
    def writes(self) -> bool:
        """
        Whether it may change something.
        """
        return self.method not in SAFE


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back on a plain connection.
    """

    status: int
    head: str
    body: str


class Service:
    """
    A running application.
    """

    def __init__(self, url: str, app: Any, database: Database) -> None:
        self.url = url
        self.app = app
        self.store = DatabaseAccess(database)

    @asynccontextmanager
    async def client(self, *, token: str | None = None, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        """
        Talk to it, with a token or without.
        """
        headers = bearer(token) if token else {}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, **options) as client:
            yield client

    async def token(self, name: str, *organizations: str, role: Role = Role.VIEWER, expires_at: Any = None) -> str:
        """
        Make a token.
        """
        token = new_token()
        limited: Organizations = frozenset(organizations) if organizations else None
        await self.store.create_token(
            NewToken(f"tok_{name}", name, digest_of(token), role, limited, "test", expires_at)
        )
        return token

    async def answers(self) -> bool:
        """
        Tell whether it has begun to listen.
        """
        try:
            async with self.client() as client:
                return (await client.get("/healthz")).is_success
        except httpx.ConnectError:
            return False

    async def raw(self, request: bytes, *, seconds: float = 10) -> Answer:
        """
        Send bytes as they are, and return the first answer.
        """
        host, _, port = self.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request)
            data = b""
            async with asyncio.timeout(seconds):
                while chunk := await reader.read(65536):
                    data += chunk
        except ConnectionError:
            pass  # it was hung up on; what came before counts
        finally:
            writer.close()
        head, _, body = data.decode("latin-1").partition("\r\n\r\n")
        return Answer(int(head.split(" ", 2)[1]) if head.startswith("HTTP/1.1 ") else 0, head, body)


@asynccontextmanager
async def serving(settings: Settings, **changes: object) -> AsyncIterator[Service]:
    """
    Run the application on a free port of this machine.
    """
    chosen = settings.model_copy(update={"http_port": 0, **changes})
    stop = asyncio.Event()
    async with open_store(chosen, "rooftree-test") as database, open_backing(chosen, database) as backing:
        # A process for long questions takes seconds to start, and tests ask for answers sooner.
        await backing.jobs.run(Prepare(), None)
        server = open_web_server(chosen, database, backing)
        task = asyncio.create_task(server.serve(stop))
        try:
            service = Service(server.url, server.app, database)
            await eventually(service.answers)
            yield service
        finally:
            stop.set()
            await task


def endpoints(app: Any) -> list[Endpoint]:
    """
    Return every method of every route, those in mounted applications included.
    """
    return sorted(set(_endpoints(app.routes, "")), key=lambda one: (one.path, one.method))


def _endpoints(routes: Iterable[BaseRoute], prefix: str) -> Iterator[Endpoint]:
    for route in routes:
        if isinstance(route, Route):
            for method in route.methods or getattr(route.endpoint, "methods", {"GET"}):
                yield Endpoint(method, prefix + route.path)
        elif isinstance(route, Mount):
            inner = list(_endpoints(route.routes or [], prefix + route.path))
            yield from inner or [Endpoint("GET", f"{prefix}{route.path}/{{path:path}}")]
        else:  # another kind of route would go unseen
            msg = f"{route} is of no kind that is known here"
            raise TypeError(msg)
