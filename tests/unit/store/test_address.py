from __future__ import annotations

from pathlib import Path

import pytest

from rooftree.errors import UsageError
from rooftree.settings import load_settings
from rooftree.store.address import database_address


def test_a_dsn_alone_is_left_as_it_is() -> None:
    """
    What other settings do not speak of stays as it was written.
    """
    dsn = "postgresql://user:p%40ss@one,two:5433/db?target_session_attrs=primary"

    assert dsn == database_address(load_settings({"postgres_dsn": dsn}))


def test_password_and_certificates_come_into_the_dsn(tmp_path: Path) -> None:
    """
    With an authority to trust, the name of the server is compared unless less is asked for.
    """
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()
    address = database_address(
        load_settings(
            {
                "postgres_dsn": "postgresql://user@host/db?application_name=x",
                "postgres_password": "a/b c@d",
                "postgres_ssl_cafile": tmp_path / "ca",
                "postgres_ssl_certfile": tmp_path / "cert",
                "postgres_ssl_keyfile": tmp_path / "key",
                "postgres_ssl_key_password": "p&q",
            }
        )
    )
    place, _, query = address.partition("?")

    assert "postgresql://user:a%2Fb%20c%40d@host/db" == place
    assert ["application_name=x", "sslmode=verify-full"] == query.split("&")[:2]
    assert query.endswith("&sslpassword=p%26q")


def test_who_comes_in_may_stand_beside_the_dsn() -> None:
    """
    So that one DSN does for every process, each of which comes as somebody else.
    """
    chosen = {
        "postgres_dsn": "postgresql://one,two:5433/db",
        "postgres_user": "app@projector",
        "postgres_password": "p@ss",
    }

    assert "postgresql://app%40projector:p%40ss@one,two:5433/db" == database_address(load_settings(chosen))


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    """
    No attempt mends that, so it is not told like a server that is away.
    """
    settings = load_settings({"postgres_ssl_cafile": tmp_path / "nowhere.pem"})
    with pytest.raises(UsageError, match=r"ROOFTREE_POSTGRES_SSL_CAFILE: .*nowhere\.pem"):
        database_address(settings)
