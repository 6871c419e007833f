"""
An OpenID Connect provider: where people are sent to, and what it says of them when they come back.

https://openid.net/specs/openid-connect-core-1_0.html, the authorization code flow, with PKCE (RFC 7636).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from rooftree.errors import ForbiddenError, UnavailableError, UsageError

__all__ = ["Attempt", "Identity", "Provider"]

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key pair alone: with a shared secret, whoever can check a token can make one."""

REMEMBERED_SECONDS: Final = 3600.0
REFRESH_SECONDS: Final = 10.0
"""Shortest time between two looks at the keys: a token with an unknown key must not make us ask each time."""

TIMEOUT_SECONDS: Final = 10.0
LEEWAY_SECONDS: Final = 60
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    What a browser keeps while its user is at the provider, so that nobody else's answer is taken for theirs.

    Attributes:
        state: Comes back with the answer.
        nonce: Comes back within the token.
        verifier: Shows that whoever brings the code is who asked for it.
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        """
        Return one that nobody can guess.
        """
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """
        What the provider is told of the verifier beforehand.
        """
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Who somebody is, by the word of the provider.

    Attributes:
        subject: What never changes about them at this provider.
        claims: All that the provider says.
        id_token: The token that says it.
    """

    issuer: str
    subject: str
    claims: Mapping[str, object]
    id_token: str

    @property
    def name(self) -> str:
        """
        How people call them.
        """
        named = (self.claims.get(claim) for claim in ("email", "preferred_username", "name"))
        return next((value for value in named if isinstance(value, str) and value), self.subject)


class Provider:
    """
    One provider, known by discovery.

    Args:
        issuer: Its address, as it calls itself.
        client_id: What it calls us.
        client_secret: What it knows us by; None for a public client.
        scopes: What we ask to be told.
        redirect_uri: Where people come back.

    Raises:
        UsageError: The issuer is reached without TLS, and is not this machine.
    """

    def __init__(
        self, issuer: str, *, client_id: str, client_secret: str | None, scopes: str, redirect_uri: str
    ) -> None:
        address = urlsplit(issuer)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
            raise UsageError("should start with https://", place="ROOFTREE_OIDC_ISSUER")
        self.issuer = issuer
        self.name = address.hostname or issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._redirect_uri = redirect_uri
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def address(self, attempt: Attempt) -> str:
        """
        Return where to send a browser.

        Raises:
            UnavailableError: The provider does not answer.
        """
        endpoint = str((await self._discovered())["authorization_endpoint"])
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(endpoint, query)

    async def identity(self, code: str, attempt: Attempt) -> Identity:
        """
        Return who came back with a code.

        Raises:
            ForbiddenError: The code or the token is not good.
            UnavailableError: The provider does not answer.
        """
        metadata = await self._discovered()
        answer = await self._exchanged(code, attempt, metadata)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise ForbiddenError("the identity provider sent no id token")
        claims = await self._verified(id_token, metadata, attempt.nonce)
        return Identity(self.issuer, str(claims["sub"]), claims, id_token)

    async def logout_address(self, id_token: str, *, back: str) -> str | None:
        """
        Return where somebody ends their session at the provider, if it can be ended there.

        Raises:
            UnavailableError: The provider does not answer.
        """
        endpoint = (await self._discovered()).get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return None
        return _with_query(
            endpoint, {"id_token_hint": id_token, "client_id": self._client_id, "post_logout_redirect_uri": back}
        )

    async def _verified(self, id_token: str, metadata: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        required = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
            "nonce": {"essential": True, "value": nonce},
            **{name: {"essential": True} for name in ("sub", "exp", "iat")},
        }
        try:
            claims = await self._decoded(id_token, metadata)
            jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **required).validate(claims)  # type: ignore[arg-type]
        except (JoseError, ValueError) as error:
            raise ForbiddenError(f"the id token is not good: {error}") from error
        if claims.get("azp", self._client_id) != self._client_id:
            raise ForbiddenError("the id token is not good: it was made for somebody else")
        return claims

    async def _decoded(self, id_token: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return dict(jwt.decode(id_token, await self._key_set(metadata), algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError):
            # The provider may have changed its keys since they were looked at.
            if self._keys is not None and time.monotonic() - self._keys[0] < REFRESH_SECONDS:
                raise
            self._keys = None
            return dict(jwt.decode(id_token, await self._key_set(metadata), algorithms=ALGORITHMS).claims)

    async def _key_set(self, metadata: Mapping[str, Any]) -> KeySet:
        if self._keys is None or time.monotonic() - self._keys[0] > REMEMBERED_SECONDS:
            self._keys = (time.monotonic(), KeySet.import_key_set(await _fetched(metadata["jwks_uri"])))  # type: ignore[arg-type]
        return self._keys[1]

    async def _discovered(self) -> dict[str, Any]:
        if self._metadata is None or time.monotonic() - self._metadata[0] > REMEMBERED_SECONDS:
            found = await _fetched(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise UnavailableError(f"identity provider: calls itself another than `{self.issuer}`")
            missing = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - found.keys()
            if missing:
                raise UnavailableError(f"identity provider: tells no {', '.join(sorted(missing))}")
            self._metadata = (time.monotonic(), found)
        return self._metadata[1]

    async def _exchanged(self, code: str, attempt: Attempt, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
            "client_id": self._client_id,
        }
        login = httpx.Auth()  # none at all
        if self._client_secret is not None:
            # https://openid.net/specs/openid-connect-discovery-1_0.html: where nothing is said, it is Basic.
            if "client_secret_basic" in metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
                login = httpx.BasicAuth(quote(self._client_id, safe=""), quote(self._client_secret, safe=""))
            else:
                form["client_secret"] = self._client_secret
        try:
            async with _client() as client:
                answer = await client.post(metadata["token_endpoint"], data=form, auth=login)
                found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnavailableError(f"identity provider: {type(error).__name__} at the exchange of the code") from error
        if answer.status_code >= 500 or not isinstance(found, dict):
            raise UnavailableError(f"identity provider: {answer.status_code} at the exchange of the code")
        if not answer.is_success:
            raise ForbiddenError(f"the identity provider refuses the code: {str(found.get('error'))[:100]}")
        return found


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, headers={"accept": "application/json"})


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


async def _fetched(address: str) -> dict[str, Any]:
    try:
        async with _client() as client:
            answer = await client.get(address)
            answer.raise_for_status()
            found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise UnavailableError(f"identity provider: {type(error).__name__} at `{address}`") from error
    if not isinstance(found, dict):
        raise UnavailableError(f"identity provider: no JSON object at `{address}`")
    return found
