"""
Certificates for a broker of this machine and for its clients, signed by an authority made for the occasion.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

__all__ = ["Certificates", "make_certificates"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """
    Files in PEM.

    Attributes:
        authority: The certificate to trust.
        server: Key and certificate of the broker in one file, as Kafka wants them.
        client_certificate: A certificate that the broker trusts.
        client_key: Its key.
        stranger: The certificate of an authority that signed none of these.
    """

    authority: Path
    server: Path
    client_certificate: Path
    client_key: Path
    stranger: Path


def make_certificates(folder: Path) -> Certificates:
    """
    Write new certificates into *folder*.
    """
    authority = trustme.CA()
    server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("rooftree.test")
    made = Certificates(*(folder / f"{name}.pem" for name in ("authority", "server", "client", "client-key", "other")))
    authority.cert_pem.write_to_path(made.authority)
    made.server.write_bytes(_pkcs8(server.private_key_pem.bytes()) + _joined(server.cert_chain_pems))
    made.client_certificate.write_bytes(_joined(client.cert_chain_pems))
    client.private_key_pem.write_to_path(made.client_key)
    trustme.CA().cert_pem.write_to_path(made.stranger)
    return made


def _joined(chain: list[trustme.Blob]) -> bytes:
    return b"".join(blob.bytes() for blob in chain)


def _pkcs8(key: bytes) -> bytes:
    # Kafka reads keys in this form only.
    return load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
