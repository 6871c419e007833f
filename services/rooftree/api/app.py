"""
The application: its routes, who may take them, and what stands on every answer.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import orjson
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rooftree.access.grants import parse_grants
from rooftree.access.keeping import AccessStore
from rooftree.api.access import Access
from rooftree.api.backing import BackingServices
from rooftree.api.bounds import Bounds
from rooftree.api.callers import ReaderFor
from rooftree.api.dispatch import questions_among, routes_of
from rooftree.api.guard import Guard
from rooftree.api.login import Login
from rooftree.api.oidc import CALLBACK, OidcLogin
from rooftree.api.openapi import describe
from rooftree.api.pages import PAGE_QUESTIONS, Site, as_pages, page_routes
from rooftree.api.problems import EXCEPTION_HANDLERS
from rooftree.api.resources import ENDPOINTS
from rooftree.api.throttle import Throttle
from rooftree.api.traces import Traced
from rooftree.errors import UnavailableError, UsageError
from rooftree.identity import Provider
from rooftree.organization.timestamps import format_time
from rooftree.reading.reader import LogLoss, Reader
from rooftree.settings import Settings
from rooftree.telemetry.metrics import METRICS_REGISTRY, Metrics

__all__ = ["create_app"]

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: with it, browsers send `Origin: null` along with our own forms.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


def create_app(
    reader_for: ReaderFor,
    store: AccessStore,
    settings: Settings,
    backing: BackingServices,
    *,
    login_code: str | None = None,
) -> Starlette:
    """
    Build the application.

    Args:
        reader_for: Opens the view for a caller, limited to the organizations that they may see.
        store: Knows tokens and sessions, and takes the access log.
        settings: The admin token and the limits are taken from here.
        backing: What the API needs beyond the view.
        login_code: Opens ``/login?code=…`` once, for the address that is printed at a start.

    Raises:
        UsageError: No admin token is set: nothing is ever served to everybody.
    """
    if settings.admin_token is None:
        raise UsageError("needed to serve the API; choose at least 16 characters", place="ROOFTREE_ADMIN_TOKEN")
    access = Access(
        store,
        settings.admin_token.get_secret_value(),
        code=login_code,
        lifetime=settings.session_lifetime,
        idle=settings.session_idle,
        public_url=settings.public_url,
    )
    attempts = Throttle("sign-in", quota=settings.http_sign_in_limit)
    site = Site()
    provider = _provider(settings)
    login = Login(access, store, site.bare, attempts=attempts, provider=provider, public_url=settings.public_url)
    return Starlette(
        routes=[
            *_probes(reader_for(None)),
            *_api(backing),
            *as_pages(site, [*login.routes, *(_oidc_routes(provider, login, settings) if provider else ())]),
            *page_routes(site, backing),
        ],
        middleware=[
            Middleware(Traced),
            Middleware(SecurityHeaders),
            Middleware(Bounds, most=settings.http_max_body_bytes, patience=settings.http_body_timeout),
            Middleware(
                Guard,
                access=access,
                store=store,
                reader_for=reader_for,
                requests=Throttle("requests", quota=settings.http_rate_limit),
                failures=attempts,
                asks=questions_among(ENDPOINTS, PAGE_QUESTIONS),
                refuse=site.failed,
                public_url=settings.public_url,
            ),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )


def _provider(settings: Settings) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret
    return Provider(
        settings.oidc_issuer,
        client_id=settings.oidc_client_id or "",
        client_secret=secret.get_secret_value() if secret else None,
        scopes=settings.oidc_scopes,
        redirect_uri=f"{settings.public_url}{CALLBACK}",
    )


def _oidc_routes(provider: Provider, login: Login, settings: Settings) -> list[Route]:
    try:
        grants = parse_grants(settings.oidc_grants)
    except UsageError as error:
        raise error.within("ROOFTREE_OIDC_GRANTS") from None
    return OidcLogin(
        provider, grants, claim=settings.oidc_claim, login=login, public_url=settings.public_url or ""
    ).routes


class SecurityHeaders:
    """
    Put the headers on every answer that keep browsers from doing harm with it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Pass the request on and add to what comes back.
        """

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _probes(reader: Reader) -> list[Route]:
    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        try:
            await reader.check()
            loss = await reader.log_loss()
        except UnavailableError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)
        # Whoever looks here for a view that is up to date is told; those who look into it are still answered.
        return PlainTextResponse(f"ready\n{_stale(loss)}")

    async def metrics(_: Request) -> Response:
        with suppress(UnavailableError):
            await _measure(reader)
        return Response(generate_latest(METRICS_REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})

    return [
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]


async def _measure(reader: Reader) -> None:
    """
    Set the metrics that are of the store, and not of this process.
    """
    loss = await reader.log_loss()
    Metrics.log_loss_partitions.set(0 if loss is None else loss.partitions)
    for state in await reader.verification_states():
        Metrics.verified_at.labels(state.subject).set(state.oldest.timestamp())
        Metrics.verification_failed.labels(state.subject).set(state.failed)


def _stale(loss: LogLoss | None) -> str:
    if loss is None:
        return ""
    return (
        f"stale: {loss.partitions} partitions of the changes topic stand still since {format_time(loss.since)},"
        " as the broker has lost records of them that were not read\n"
    )


def _api(backing: BackingServices) -> list[Route]:
    described = orjson.dumps(describe(ENDPOINTS))

    async def description(_: Request) -> Response:
        return Response(described, media_type="application/json")

    return [
        Route("/api/v1/openapi.json", description),
        *routes_of(ENDPOINTS, backing),
    ]
