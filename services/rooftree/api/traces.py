"""
A span for each request.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rooftree.telemetry.spans import TRACEPARENT, handling, is_traced

__all__ = ["Traced", "route_of"]

# They are asked for every few seconds, and tell nobody anything.
_UNTOLD = frozenset({"/healthz", "/readyz", "/metrics"})


class Traced:
    """
    Have each request be a span, part of the trace that its header names.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Pass the request on, and look at what comes back.
        """
        if not is_traced() or scope["type"] != "http" or scope["path"] in _UNTOLD:
            await self._app(scope, receive, send)
            return
        with handling(scope["method"], scope["path"], Headers(scope=scope).get(TRACEPARENT)) as answered:

            async def send_seen(message: Message) -> None:
                if message["type"] == "http.response.start":
                    answered(message["status"], route_of(scope))
                await send(message)

            await self._app(scope, receive, send_seen)


def route_of(scope: Scope) -> str | None:
    """
    Return the path of a request with the names of its parameters in place of what was given for them; None if nothing
    answers there.
    """
    if "endpoint" not in scope:
        return None
    path = str(scope["path"])
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    if path.removeprefix("/") in names:  # of the route that takes whatever is left
        return f"/{names[path.removeprefix('/')]}"
    return "/".join(names.get(part, part) for part in path.split("/"))
