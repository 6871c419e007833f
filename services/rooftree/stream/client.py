"""
What every Kafka client of this service shares: whom to talk to, how, and how failures are told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from rooftree.errors import UnavailableError, UsageError
from rooftree.settings import Settings

__all__ = ["admin_client", "client_options", "stop_quietly", "translated_errors"]

_STOP_SECONDS = 5.0


def client_options(settings: Settings) -> dict[str, object]:
    """
    Return the arguments that each aiokafka client takes.

    Raises:
        UsageError: A certificate or key cannot be read.
    """
    options: dict[str, object] = {
        "bootstrap_servers": [server.strip() for server in settings.kafka_bootstrap.split(",")],
        "client_id": settings.kafka_client_id,
        "request_timeout_ms": int(settings.kafka_request_timeout * 1000),
        "security_protocol": settings.kafka_security_protocol.value,
        # New partitions are noticed within this time; the default of five minutes is long for an audit trail.
        "metadata_max_age_ms": 30_000,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.kafka_security_protocol.startswith("SASL") and settings.kafka_sasl_password is not None:
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism.value
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return options


def _ssl_context(settings: Settings) -> object:
    password = settings.kafka_ssl_key_password
    try:
        return create_ssl_context(
            cafile=settings.kafka_ssl_cafile,
            certfile=settings.kafka_ssl_certfile,
            keyfile=settings.kafka_ssl_keyfile,
            # Without any, OpenSSL would ask for one on the terminal.
            password="" if password is None else password.get_secret_value(),
        )
    except OSError as error:
        raise UsageError(f"ROOFTREE_KAFKA_SSL_*: a certificate or key cannot be read: {error}") from error


@contextmanager
def translated_errors() -> Iterator[None]:
    """
    Turn what aiokafka raises for a broker that is away or refuses into one error.

    Raises:
        UnavailableError: Another attempt may help.
    """
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        detail = str(error).strip().splitlines()
        raise UnavailableError(f"Kafka: {detail[0] if detail else type(error).__name__}") from error


async def stop_quietly(stop: Callable[[], Awaitable[object]]) -> None:
    """
    Stop a client; one that cannot say goodbye to its broker in time is dropped.
    """
    with contextlib.suppress(Exception):
        await asyncio.wait_for(stop(), _STOP_SECONDS)


@asynccontextmanager
async def admin_client(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """
    Open a client for questions about the cluster, for the time of the context.

    Raises:
        UnavailableError: The broker does not answer.
    """
    client = AIOKafkaAdminClient(**client_options(settings))
    try:
        with translated_errors():
            await client.start()
            yield client
    finally:
        await stop_quietly(client.close)
