"""
Where PostgreSQL is and how to come in, in one DSN out of several settings.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from rooftree.errors import UsageError
from rooftree.settings import PREFIX, PostgresSslMode, Settings

__all__ = ["database_address"]


def database_address(settings: Settings) -> str:
    """
    Return the DSN with everything in it that the other settings say: user, password, certificates, whom to trust.

    It is a secret. Programs of PostgreSQL itself understand it, too.

    Raises:
        UsageError: A certificate or key cannot be read.
    """
    parts = urlsplit(settings.postgres_dsn.get_secret_value())
    place = parts.netloc
    if settings.postgres_user is not None:
        place = f"{quote(settings.postgres_user, safe='')}@{place}"
    if settings.postgres_password is not None:
        user, _, host = place.rpartition("@")
        place = f"{user}:{quote(settings.postgres_password.get_secret_value(), safe='')}@{host}"
    protection = urlencode(_protection(settings), quote_via=quote)
    query = "&".join(part for part in (parts.query, protection) if part)
    return urlunsplit(parts._replace(netloc=place, query=query))


def _protection(settings: Settings) -> dict[str, str]:
    mode = settings.postgres_ssl_mode
    if mode is None and settings.postgres_ssl_cafile is not None:
        mode = PostgresSslMode.VERIFY_FULL
    chosen = {} if mode is None else {"sslmode": mode.value}
    files = {"sslrootcert": "cafile", "sslcert": "certfile", "sslkey": "keyfile"}
    for parameter, name in files.items():
        path: Path | None = getattr(settings, f"postgres_ssl_{name}")
        if path is not None:
            chosen[parameter] = str(_readable(path, f"{PREFIX}POSTGRES_SSL_{name.upper()}"))
    if settings.postgres_ssl_key_password is not None:
        chosen["sslpassword"] = settings.postgres_ssl_key_password.get_secret_value()
    return chosen


def _readable(path: Path, variable: str) -> Path:
    # The driver would tell a missing file like a server that is away.
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror or error}", place=variable) from error
    return path
