"""
Identity providers: a real one as a process of its own, and one that says whatever a test wants it to say.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.integration.service import eventually

from rooftree.embedded.child import free_port
from rooftree.workers.web import WebServer

__all__ = ["BentProvider", "bent_provider", "real_provider"]


@asynccontextmanager
async def real_provider(**users: dict[str, object]) -> AsyncIterator[str]:
    """
    Run a provider with these users, by name; gives its issuer.
    """
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    issuer = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=issuer) as client:

            async def answers() -> bool:
                assert process.returncode is None
                try:
                    return (await client.get("/.well-known/openid-configuration")).is_success
                except httpx.TransportError:
                    return False

            await eventually(answers, seconds=60)
            for name, claims in users.items():
                (await client.put(f"/users/{quote(name)}", json=claims)).raise_for_status()
        yield issuer
    finally:
        process.terminate()
        await process.wait()


class BentProvider:
    """
    A provider that lets everybody in at once, checks PKCE, and signs what it is told to.

    Attributes:
        claims: What goes into the next token in place of what belongs there; None leaves a claim out.
        key: What signs.
        published: What it says its keys are.
        algorithm: What it signs with.
    """

    def __init__(self) -> None:
        self.key: Any = RSAKey.generate_key(2048, {"kid": "first"})
        self.published = [self.key]
        self.algorithm = "RS256"
        self.claims: dict[str, object] = {}
        self.issuer = ""
        self.told_issuer: str | None = None
        self.questions: list[dict[str, str]] = []
        self.exchanges: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def rotate(self, kid: str) -> None:
        """
        Sign with another key from now on, and publish that alone.
        """
        self.key = RSAKey.generate_key(2048, {"kid": kid})
        self.published = [self.key]

    def sign_with_what_is_public(self) -> None:
        """
        Sign with the public key as if it were a shared secret, which some checks take for good.
        """
        self.algorithm = "HS256"

    async def _configuration(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.told_issuer or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(KeySet(self.published).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.questions.append(asked)
        answer = {"code": f"code-{len(self.questions)}", "state": asked["state"], "iss": self.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}")

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.exchanges.append(form)
        asked = self.questions[-1]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        login = base64.b64encode(b"rooftree:a%20secret").decode()
        good = challenge.rstrip("=") == asked["code_challenge"] and asked["code_challenge_method"] == "S256"
        if not good or request.headers.get("authorization") != f"Basic {login}":
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "1",
            "aud": "rooftree",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "groups": ["security"],
            **self.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self._signed(told)})

    def _signed(self, claims: dict[str, object]) -> str:
        if self.algorithm == "RS256":
            return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        # No library does this on purpose.
        parts = ({"alg": self.algorithm, "kid": self.key.kid}, claims)
        text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        secret = self.key.as_pem(private=False)
        signature = hmac.digest(secret, text.encode(), "sha256") if self.algorithm == "HS256" else b""
        return f"{text}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@asynccontextmanager
async def bent_provider() -> AsyncIterator[BentProvider]:
    """
    Run such a provider.
    """
    provider = BentProvider()
    server = WebServer(provider.app, "127.0.0.1", 0)
    provider.issuer = server.url
    stop = asyncio.Event()
    task = asyncio.create_task(server.serve(stop))
    try:
        yield provider
    finally:
        stop.set()
        await task
