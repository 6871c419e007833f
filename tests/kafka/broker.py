"""
Apache Kafka on this machine: one process that is broker and controller.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.kafka.certificates import Certificates, make_certificates
from tests.kafka.jars import kafka_jars, require_java

from rooftree.embedded.child import Child, free_port, start_child, tail
from rooftree.errors import UnavailableError
from rooftree.settings import Settings
from rooftree.stream.identity import topic_identity

__all__ = ["ApacheKafka", "apache_kafka"]

_START_SECONDS = 90.0
_JVM = (
    "-Xms128m",
    "-Xmx640m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)
_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_ROUTES = ("SSL", "SASL_PLAINTEXT", "SASL_SSL")


class ApacheKafka:
    """
    A broker whose data outlive its process.

    Attributes:
        certificates: What its listeners with TLS prove themselves by.
        user: Who may come in by SASL, name and password.
    """

    user = ("rooftree-test", "correct horse battery staple")

    def __init__(self, folder: Path, *, advertised: str | None = None) -> None:
        self._folder = folder
        self._ports = {name: free_port() for name in ("PLAINTEXT", "CONTROLLER", *_ROUTES)}
        self._advertised = advertised or self.address("PLAINTEXT")
        self._child: Child | None = None
        self.certificates: Certificates

    @property
    def bootstrap(self) -> str:
        """
        Where clients are told to come.
        """
        return self._advertised

    def address(self, protocol: str) -> str:
        """
        Return the ``HOST:PORT`` of the listener that speaks *protocol*.
        """
        return f"127.0.0.1:{self._ports[protocol]}"

    def segments(self, topic: str) -> list[Path]:
        """
        Return the files that hold the records of *topic*.
        """
        return sorted((self._folder / "data").glob(f"{topic}-*/*.log"))

    async def prepare(self) -> None:
        """
        Make certificates and format the storage, with a cluster id of its own.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.certificates = make_certificates(self._folder)
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        name, password = self.user
        users = [f"{mechanism}=[name={name},password={password}]" for mechanism in _MECHANISMS]
        cluster = (await self._tool("random-uuid")).split()[-1]
        added = [part for user in users for part in ("--add-scram", user)]
        await self._tool("format", "--cluster-id", cluster, "--config", str(self._properties), *added)

    async def start(self) -> None:
        """
        Start the process, on what an earlier one has left.

        Raises:
            UnavailableError: It does not answer.
        """
        log_path = self._folder / "kafka.log"
        self._child = await start_child(
            [require_java(), *_JVM, "-cp", f"{kafka_jars()}/*", "kafka.Kafka", self._properties],
            name="Apache Kafka",
            log_path=log_path,
            death_signal=signal.SIGKILL,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not await _answers(self._ports["PLAINTEXT"]):
            if not self._child.running or time.monotonic() > deadline:
                raise UnavailableError(f"Apache Kafka did not start: {tail(log_path, lines=20)}")
            await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """
        End the process without a chance to say goodbye.
        """
        if self._child is not None:
            await asyncio.shield(self._child.stop())

    async def _tool(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(require_java(), "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"),
            *("-cp", f"{kafka_jars()}/*", "kafka.tools.StorageTool", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        if process.returncode:
            raise UnavailableError(f"the storage of Apache Kafka cannot be formatted: {told.decode()[-2000:]}")
        return told.decode()

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _settings(self) -> dict[str, object]:
        listeners = {name: f"{name}://127.0.0.1:{port}" for name, port in self._ports.items()}
        advertised = {**listeners, "PLAINTEXT": f"PLAINTEXT://{self._advertised}"}
        del advertised["CONTROLLER"]
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{self.address('CONTROLLER')}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(listeners.values()),
            "advertised.listeners": ",".join(advertised.values()),
            "listener.security.protocol.map": ",".join(
                f"{name}:{'PLAINTEXT' if name == 'CONTROLLER' else name}" for name in listeners
            ),
            "log.dirs": self._folder / "data",
            "auto.create.topics.enable": "false",
            # One broker: what it keeps for itself has one copy.
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1,
            # Tests do not wait for members that might still come, and let absent ones go soon.
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            # One that was killed is let in again when its time is over. Nine seconds are long; a busy machine that
            # stalls for one must not make the broker a stranger to itself.
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 500,
            # Many topics, each used for seconds.
            "log.index.size.max.bytes": 65536,
            **self._security(),
        }

    def _security(self) -> dict[str, object]:
        store = {
            "keystore.type": "PEM",
            "keystore.location": self.certificates.server,
            "truststore.type": "PEM",
            "truststore.location": self.certificates.authority,
        }
        name, password = self.user
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        modules = {
            "plain": f'{plain} required user_{name}="{password}";',
            **{mechanism.lower(): f"{scram} required;" for mechanism in _MECHANISMS},
        }
        return {
            **{f"ssl.{key}": value for key, value in store.items()},
            # On the listener without SASL the certificate tells who comes.
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": ",".join(("PLAIN", *_MECHANISMS)),
            **{
                f"listener.name.{route}.{mechanism}.sasl.jaas.config": module
                for route in ("sasl_plaintext", "sasl_ssl")
                for mechanism, module in modules.items()
            },
        }


async def _answers(port: int) -> bool:
    try:
        # The client logs each vain attempt, so the port is tried before.
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await topic_identity(Settings(kafka_bootstrap=f"127.0.0.1:{port}", kafka_request_timeout=5), "any")
    except (OSError, UnavailableError):
        return False
    return True


@asynccontextmanager
async def apache_kafka(folder: Path, *, advertised: str | None = None) -> AsyncIterator[ApacheKafka]:
    """
    Run a broker while the context lasts; its data go with it.

    Args:
        folder: Where its data, its log and its certificates are.
        advertised: The ``HOST:PORT`` at which clients reach it, if that is not where it listens.

    Raises:
        UnavailableError: It cannot be started.
    """
    broker = ApacheKafka(folder, advertised=advertised)
    try:
        await broker.prepare()
        await broker.start()
        yield broker
    finally:
        await broker.kill()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
