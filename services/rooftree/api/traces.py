"""
A span for each request.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rooftree.telemetry.spans import TRACEPARENT, handling, is_traced

__all__ = ["Traced"]

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
                    answered(message["status"], _route(scope))
                await send(message)

            await self._app(scope, receive, send_seen)


def _route(scope: Scope) -> str | None:
    if "endpoint" not in scope:
        return None
    route = str(scope["path"])
    for name, value in scope.get("path_params", {}).items():
        route = route.replace(str(value), f"{{{name}}}")
    return route
