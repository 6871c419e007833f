"""
A receiver of webhooks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rooftree.workers.web import WebServer

__all__ = ["Receiver", "receiving"]


@dataclass
class Receiver:
    """
    Takes what comes, and answers what it is told to; 204 when nothing is left to answer.
    """

    url: str = ""
    answers: list[int | float] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        """
        Take one request.
        """
        body = await request.body()
        self.requests.append((dict(request.headers), body))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = 200
        if answer == 302:
            return Response(status_code=302, headers={"location": f"{self.url}/elsewhere"})
        if answer < 300:
            self.accepted.append(json.loads(body))
        return Response("x" * 200_000 if answer == 200 else b"", status_code=answer)

    @property
    def ids(self) -> list[str]:
        """
        The ids of all requests.
        """
        return [headers["webhook-id"] for headers, _ in self.requests]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """
    Run a receiver on a free port of this machine.
    """
    taking = Receiver()
    elsewhere: list[str] = []

    async def lure(_: Request) -> Response:
        elsewhere.append("came")
        return Response(status_code=200)

    app = Starlette(
        routes=[
            Route("/hook", taking.take, methods=["POST"]),
            Route("/elsewhere", lure, methods=["GET", "POST"]),
        ]
    )
    server = WebServer(app, "127.0.0.1", 0)
    taking.url = server.url
    stop = asyncio.Event()
    task = asyncio.create_task(server.serve(stop))
    try:
        yield taking
    finally:
        stop.set()
        await task
    assert [] == elsewhere, "a redirect was followed"
