"""
Listeners of Apache Kafka that ask who comes and hide what is said.
"""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from tests.commands import COMMAND
from tests.integration.service import ORGANIZATION, event, publish, read_topic, running, settled, snapshot
from tests.kafka.broker import ApacheKafka

from rooftree.benchmarks.processes import as_environment
from rooftree.errors import UnavailableError, UsageError
from rooftree.settings import SaslMechanism, SecurityProtocol, Settings
from rooftree.stream import ensure_topics
from rooftree.stream.identity import topic_identity

pytestmark = pytest.mark.integration

ATTACHED = event(
    "attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)
PUBLISH = [*COMMAND, "publish", "-"]


@dataclass(frozen=True)
class Way:
    """
    A way to a broker.
    """

    protocol: SecurityProtocol
    mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512

    def __str__(self) -> str:
        return f"{self.protocol}-{self.mechanism}"


WAYS = [
    Way(SecurityProtocol.SSL),
    Way(SecurityProtocol.SASL_PLAINTEXT, SaslMechanism.PLAIN),
    Way(SecurityProtocol.SASL_PLAINTEXT, SaslMechanism.SCRAM_SHA_256),
    Way(SecurityProtocol.SASL_PLAINTEXT, SaslMechanism.SCRAM_SHA_512),
    Way(SecurityProtocol.SASL_SSL, SaslMechanism.PLAIN),
    Way(SecurityProtocol.SASL_SSL, SaslMechanism.SCRAM_SHA_256),
    Way(SecurityProtocol.SASL_SSL, SaslMechanism.SCRAM_SHA_512),
]


def through(settings: Settings, kafka: ApacheKafka, way: Way, **chosen: object) -> Settings:
    """
    Return the settings that take *way*.
    """
    user, password = kafka.user
    encrypted = way.protocol in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)
    mutual = way.protocol is SecurityProtocol.SSL
    named = way.protocol in (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL)
    return settings.model_copy(
        update={
            "kafka_bootstrap": kafka.address(way.protocol),
            "kafka_security_protocol": way.protocol,
            "kafka_sasl_mechanism": way.mechanism,
            "kafka_sasl_username": user if named else None,
            "kafka_sasl_password": SecretStr(password) if named else None,
            "kafka_ssl_cafile": kafka.certificates.authority if encrypted else None,
            "kafka_ssl_certfile": kafka.certificates.client_certificate if mutual else None,
            "kafka_ssl_keyfile": kafka.certificates.client_key if mutual else None,
            "kafka_request_timeout": 5.0,
            **chosen,
        }
    )


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_everything_goes_this_way(settings: Settings, kafka: ApacheKafka, way: Way) -> None:
    """
    Topics are made, changes published and read, audit events sent and read.
    """
    chosen = through(settings, kafka, way, audit_topic=f"{settings.audit_topic}-made")

    made = await ensure_topics(chosen)
    await publish(chosen, snapshot(), ATTACHED)
    async with running(chosen):
        await settled(chosen, records=2)
    events = await read_topic(chosen, chosen.audit_topic)

    assert [chosen.audit_topic] == made
    assert {b"222222222222", b"333333333333"} == {record.key for record in events}


@pytest.mark.parametrize("way", [WAYS[0], WAYS[-1]], ids=str)
async def test_the_command_publishes_this_way(settings: Settings, kafka: ApacheKafka, way: Way) -> None:
    """
    It takes the same variables as the service.
    """
    chosen = through(settings, kafka, way)
    told = {"input": ATTACHED, "env": as_environment(chosen)}
    done = await asyncio.to_thread(subprocess.run, PUBLISH, **told, capture_output=True, timeout=60, check=False)
    [record] = await read_topic(chosen, chosen.changes_topic)

    assert (0, ORGANIZATION.encode()) == (done.returncode, record.key), done.stderr


@pytest.mark.parametrize(
    ("way", "wrong"),
    [
        (WAYS[1], {"kafka_sasl_password": SecretStr("guess")}),
        (WAYS[3], {"kafka_sasl_password": SecretStr("guess")}),
        (WAYS[6], {"kafka_sasl_username": "stranger"}),
        (WAYS[6], {"kafka_ssl_cafile": None}),
        (WAYS[0], {"kafka_ssl_certfile": None, "kafka_ssl_keyfile": None}),
    ],
    ids=["plain password", "scram password", "scram user", "unknown authority", "no certificate"],
)
async def test_who_is_wrong_here_stays_outside(
    settings: Settings, kafka: ApacheKafka, way: Way, wrong: dict[str, object]
) -> None:
    """
    Neither does the service come in, nor does it talk to a server that it does not know.
    """
    with pytest.raises(UnavailableError, match="Kafka"):
        await topic_identity(through(settings, kafka, way, **wrong), settings.changes_topic)


async def test_a_server_of_another_authority_is_not_trusted(settings: Settings, kafka: ApacheKafka) -> None:
    """
    Its certificate is no proof.
    """
    chosen = through(settings, kafka, WAYS[6], kafka_ssl_cafile=kafka.certificates.stranger)

    with pytest.raises(UnavailableError, match="Kafka"):
        await topic_identity(chosen, settings.changes_topic)


async def test_a_server_of_another_name_is_not_trusted(settings: Settings, kafka: ApacheKafka) -> None:
    """
    The certificate is for 127.0.0.1; under another name of the same machine it proves nothing.
    """
    port = kafka.address("SASL_SSL").rpartition(":")[2]
    chosen = through(settings, kafka, WAYS[6], kafka_bootstrap=f"localhost:{port}")

    with pytest.raises(UnavailableError, match="Kafka"):
        await topic_identity(chosen, settings.changes_topic)


async def test_a_certificate_that_is_not_there_is_a_mistake_of_the_settings(
    settings: Settings, kafka: ApacheKafka
) -> None:
    """
    No attempt mends that.
    """
    chosen = through(settings, kafka, WAYS[6], kafka_ssl_cafile=kafka.certificates.authority.with_name("nowhere.pem"))

    with pytest.raises(UsageError, match="ROOFTREE_KAFKA_SSL"):
        await topic_identity(chosen, settings.changes_topic)
