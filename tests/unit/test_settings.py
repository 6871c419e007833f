"""
Settings out of the environment.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rooftree.errors import UsageError
from rooftree.settings import PREFIX, describe_settings, load_settings


def test_every_setting_is_described() -> None:
    """
    What an operator may choose is listed with a purpose.
    """
    assert all(setting.description and setting.variable.startswith(PREFIX) for setting in describe_settings())


def test_every_fault_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nobody corrects settings one start at a time.
    """
    monkeypatch.setenv("ROOFTREE_HTTP_PORT", "eighty")
    monkeypatch.setenv("ROOFTREE_BATCH_MAX_RECORDS", "0")
    monkeypatch.setenv("ROOFTREE_KAFKA_BOOTSTRAP", "nowhere")
    with pytest.raises(UsageError) as raised:
        load_settings()

    for name in ("HTTP_PORT", "BATCH_MAX_RECORDS", "KAFKA_BOOTSTRAP"):
        assert f"ROOFTREE_{name}: " in str(raised.value)


def test_settings_that_belong_together_are_checked_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A security setting that is half given does not start.
    """
    monkeypatch.setenv("ROOFTREE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("ROOFTREE_KAFKA_SSL_KEYFILE", "/key.pem")
    with pytest.raises(UsageError) as raised:
        load_settings()

    assert "KAFKA_SASL_USERNAME" in str(raised.value)
    assert "KAFKA_SSL_CERTFILE" in str(raised.value)


@pytest.mark.parametrize("name", ["KAFKA_SASL_PASSWORD", "KAFKA_SSL_CAFILE"])
def test_a_security_setting_that_is_not_used_does_not_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """
    Whoever gives a password or a certificate believes that the connection is protected.
    """
    monkeypatch.setenv(f"ROOFTREE_{name}", "something")
    with pytest.raises(UsageError, match="KAFKA_SECURITY_PROTOCOL"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"postgres_dsn": "postgresql://u:x@h/d", "postgres_password": "y"}, "holds a password already"),
        ({"postgres_dsn": "postgresql://u@h/d", "postgres_user": "y"}, "names a user already"),
        ({"postgres_dsn": "postgresql://u@h/d?sslmode=require", "postgres_ssl_mode": "verify-full"}, "says `ssl"),
        ({"postgres_ssl_mode": "require", "postgres_ssl_cafile": "/ca.pem"}, "trusts any server"),
        ({"postgres_ssl_mode": "disable", "postgres_ssl_cafile": "/ca.pem"}, "is disable"),
        ({"postgres_ssl_certfile": "/cert.pem"}, "together or not at all"),
        ({"postgres_ssl_key_password": "x"}, "POSTGRES_SSL_KEYFILE is not"),
    ],
)
def test_what_would_not_protect_postgresql_does_not_start(given: dict[str, object], fault: str) -> None:
    """
    As with Kafka: what is given is used, or refused.
    """
    with pytest.raises(UsageError, match=fault):
        load_settings(given)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"oidc_issuer": "https://login.example.com"}, "PUBLIC_URL is needed .* OIDC_CLIENT_ID is .* OIDC_GRANTS is"),
        ({"oidc_grants": "security=admin:*"}, "OIDC_ISSUER is not"),
    ],
)
def test_signing_in_that_is_half_set_up_does_not_start(given: dict[str, object], fault: str) -> None:
    """
    Else the first who tries to sign in finds out.
    """
    with pytest.raises(UsageError, match=fault):
        load_settings(given)


def test_a_fault_does_not_repeat_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Error messages end up in logs.
    """
    monkeypatch.setenv("ROOFTREE_POSTGRES_DSN", "mysql://user:hunter2@host/db")
    monkeypatch.setenv("ROOFTREE_ADMIN_TOKEN", "hunter3")
    with pytest.raises(UsageError) as raised:
        load_settings()

    assert "POSTGRES_DSN" in str(raised.value)
    assert "hunter" not in str(raised.value)


def test_secrets_are_not_shown() -> None:
    """
    A settings object may be logged.
    """
    settings = load_settings({"postgres_dsn": "postgresql://user:hunter2@host/db"})

    assert "hunter2" not in repr(settings)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Deployments pass empty texts for what they leave open.
    """
    monkeypatch.setenv("ROOFTREE_HTTP_PORT", "")

    assert 8080 == load_settings().http_port


def test_options_go_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was typed last counts.
    """
    monkeypatch.setenv("ROOFTREE_HTTP_PORT", "1234")

    assert 4321 == load_settings({"http_port": 4321}).http_port


def test_settings_do_not_change() -> None:
    """
    One frozen object holds for the life of the process.
    """
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.http_port = 1

    assert 8080 == settings.http_port
