"""
How large a request may be, and how long its body may take.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rooftree.api.problems import problem

__all__ = ["Bounds"]

MOST_TARGET: Final = 8192
"""Bytes of a path with its query: more than any cursor of ours needs."""


class Bounds:
    """
    Refuse what is too large before it is in memory, and what comes too slowly.

    Args:
        most: Bytes of a body.
        patience: Seconds for the whole of it.
    """

    def __init__(self, app: ASGIApp, *, most: int, patience: float) -> None:
        self._app = app
        self._most = most
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Pass a request on, and watch its body.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MOST_TARGET:
            await problem(414, f"the address may have {MOST_TARGET} bytes")(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > self._most:
            await self._too_large()(scope, receive, send)
            return
        await self._app(scope, self._watched(receive), send)

    def _watched(self, receive: Receive) -> Receive:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        size, whole = 0, False

        async def watched() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()  # waits for the end of the connection, however long an answer takes
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"the body did not come within {self._patience:g} s") from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > self._most:
                raise HTTPException(413, f"a body may have {self._most} bytes")
            return message

        return watched

    def _too_large(self) -> ASGIApp:
        return problem(413, f"a body may have {self._most} bytes", headers={"connection": "close"})
