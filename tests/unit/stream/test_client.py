"""
What clients of Kafka are told by the settings.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from rooftree.errors import UsageError
from rooftree.settings import SecurityProtocol, Settings
from rooftree.stream.client import client_options


@pytest.fixture
def mutual(tmp_path: Path) -> Settings:
    """
    Settings for mutual TLS, with a key that has a password.
    """
    authority = trustme.CA()
    client = authority.issue_cert("rooftree.test")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    key = load_pem_private_key(client.private_key_pem.bytes(), None)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    )
    return Settings(
        kafka_security_protocol=SecurityProtocol.SSL,
        kafka_ssl_cafile=tmp_path / "authority.pem",
        kafka_ssl_certfile=tmp_path / "client.pem",
        kafka_ssl_keyfile=tmp_path / "key.pem",
        kafka_ssl_key_password=SecretStr("open sesame"),
    )


def test_a_server_has_to_prove_its_name(mutual: Settings) -> None:
    """
    There is no setting that turns that off.
    """
    context = client_options(mutual)["ssl_context"]

    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert ssl.CERT_REQUIRED is context.verify_mode


@pytest.mark.parametrize("password", [None, SecretStr("guess")])
def test_a_key_that_does_not_open_is_a_mistake_of_the_settings(mutual: Settings, password: SecretStr | None) -> None:
    """
    Nobody is asked on the terminal, where nobody may be.
    """
    with pytest.raises(UsageError, match="ROOFTREE_KAFKA_SSL"):
        client_options(mutual.model_copy(update={"kafka_ssl_key_password": password}))


def test_plain_text_has_neither_certificates_nor_names() -> None:
    """
    Nothing secret goes to a server that is not known.
    """
    assert {"ssl_context", "sasl_mechanism", "sasl_plain_password"}.isdisjoint(client_options(Settings()))
