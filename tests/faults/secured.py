"""
A PostgreSQL and an Apache Kafka that ask who comes and hide what is said, and the settings that suffice for both.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr
from tests.databases import administer
from tests.kafka.broker import ApacheKafka
from tests.kafka.certificates import make_certificates

from rooftree.embedded.account import unprivileged_account
from rooftree.embedded.child import free_port, start_child
from rooftree.settings import SaslMechanism, SecurityProtocol, Settings

__all__ = ["SecuredPostgres", "programs_with_tls", "secured_kafka", "secured_postgres"]

# By TLS alone, with a certificate of the client and a password.
_ACCESS = "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n"


@dataclass(frozen=True, slots=True)
class SecuredPostgres:
    """
    A server that lets nobody in who does not prove who they are.

    Attributes:
        address: Where it listens, ``HOST:PORT``.
        superuser: A DSN with everything in it, for the test itself.
        secrets: What must never be printed.
    """

    address: str
    superuser: str
    authority: Path
    certificate: Path
    key: Path
    key_password: str
    secrets: list[str]

    async def add_user(self, name: str, *groups: str) -> str:
        """
        Make a user who belongs to *groups*; return the password.
        """
        password = secrets.token_urlsafe(16)
        self.secrets.append(password)
        membership = f" in role {', '.join(groups)}" if groups else ""
        await administer(self.superuser, f"create role {name} login password '{password}'{membership}")
        return password

    def settings(self, settings: Settings, user: str, password: str, database: str) -> Settings:
        """
        Return the settings that come in as *user*.
        """
        return settings.model_copy(
            update={
                "postgres_dsn": SecretStr(f"postgresql://{user}@{self.address}/{database}"),
                "postgres_password": SecretStr(password),
                "postgres_ssl_cafile": self.authority,
                "postgres_ssl_certfile": self.certificate,
                "postgres_ssl_keyfile": self.key,
                "postgres_ssl_key_password": SecretStr(self.key_password),
            }
        )


def programs_with_tls() -> Path:
    """
    Return where the programs of a PostgreSQL are that was built with TLS, which the embedded one was not. Without one,
    tests are left out where somebody tries things, and fail where all is to be shown.
    """
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not installed:
        missing = (
            "needs a PostgreSQL that was built with TLS in /usr/lib/postgresql (on Debian: apt-get install postgresql)"
        )
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return installed[-1]


@asynccontextmanager
async def secured_postgres(folder: Path) -> AsyncIterator[SecuredPostgres]:
    """
    Run such a server for the time of the context, with nothing in it.
    """
    programs, data, port = programs_with_tls(), folder / "data", free_port()
    made, account = make_certificates(folder), unprivileged_account(data)
    password, key_password = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    (folder / "password").write_text(password)
    for path in (data, folder / "password"):
        path.mkdir(mode=0o700, exist_ok=True) if path is data else path.chmod(0o600)
        _give(path, account)
    options = {"name": "PostgreSQL", "log_path": folder / "postgres.log", "account": account}
    initialize = ["--pgdata", data, "--username", "postgres", "--pwfile", folder / "password", "--no-sync"]
    child = await start_child(
        [programs / "initdb", *initialize, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"],
        death_signal=signal.SIGKILL,
        **options,
    )
    await child.finish()
    for source, name in ((made.server, "server.pem"), (made.authority, "authority.pem")):
        shutil.copy(source, data / name)
        (data / name).chmod(0o600)
        _give(data / name, account)
    (data / "pg_hba.conf").write_text(_ACCESS)
    chosen = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "ssl": "on",
        "ssl_cert_file": "server.pem",
        "ssl_key_file": "server.pem",
        "ssl_ca_file": "authority.pem",
        "log_statement": "none",
    }
    server = await start_child(
        [
            programs / "postgres",
            "-D",
            data,
            *(part for each in chosen.items() for part in ("-c", "=".join(map(str, each)))),
        ],
        death_signal=signal.SIGINT,
        **options,
    )
    files = f"sslmode=require&sslcert={made.client_certificate}&sslkey={made.client_key}"
    superuser = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres?{files}"
    try:
        await _answering(superuser)
        yield SecuredPostgres(
            f"127.0.0.1:{port}",
            superuser,
            made.authority,
            made.client_certificate,
            _encrypted(made.client_key, key_password),
            key_password,
            [password, key_password],
        )
    finally:
        await server.stop((signal.SIGINT, 6), (signal.SIGQUIT, 2))


def _give(path: Path, account: tuple[int, int] | None) -> None:
    if account is not None:
        os.chown(path, *account)


async def _answering(dsn: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await administer(dsn, "select 1")
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.1)
            else:
                return


def _encrypted(key: Path, password: str) -> Path:
    locked = key.with_name("client-key-locked.pem")
    private = load_pem_private_key(key.read_bytes(), None)
    protection = BestAvailableEncryption(password.encode())
    locked.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    return locked


def secured_kafka(settings: Settings, kafka: ApacheKafka, mechanism: SaslMechanism) -> Settings:
    """
    Return the settings that come to Kafka by TLS and with a name and a password.
    """
    user, password = kafka.user
    return settings.model_copy(
        update={
            "kafka_bootstrap": kafka.address("SASL_SSL"),
            "kafka_security_protocol": SecurityProtocol.SASL_SSL,
            "kafka_sasl_mechanism": mechanism,
            "kafka_sasl_username": user,
            "kafka_sasl_password": SecretStr(password),
            "kafka_ssl_cafile": kafka.certificates.authority,
        }
    )
