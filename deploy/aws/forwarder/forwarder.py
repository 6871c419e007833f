"""
Produces what EventBridge has put into a queue to the changes topic of Rooftree.

A message is deleted from the queue once Kafka has it on all replicas in sync; any other comes again. So a record may
be produced twice, which does no harm: Rooftree knows an event by its id.

Settings, from the environment: ``KAFKA_BOOTSTRAP``, ``KAFKA_TOPIC``, ``ORGANIZATION_ID``, the key of each record, and
``KAFKA_IAM_REGION`` for a cluster of MSK that authenticates by IAM, without which the connection is plain.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from functools import cache
from importlib import import_module
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

# Longer than an election of leaders, shorter than the function may run.
PATIENCE_SECONDS = 40

_log = logging.getLogger("forwarder")


class Forwarder:
    """
    A producer that outlives the invocation, with the loop that it lives in.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._producer: AIOKafkaProducer | None = None

    def forward(self, messages: list[dict[str, Any]]) -> list[str]:
        """
        Produce the bodies of messages and return the ids of those that Kafka may not have.
        """
        return self._loop.run_until_complete(self._forward(messages))

    def close(self) -> None:
        """
        Let the connections go.
        """
        self._loop.run_until_complete(self._stop())
        self._loop.close()

    async def _forward(self, messages: list[dict[str, Any]]) -> list[str]:
        done: set[str] = set()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                producer = await self._started()
                sent = {message["messageId"]: await self._sent(producer, message) for message in messages}
                outcomes = await asyncio.gather(*sent.values(), return_exceptions=True)
            for message_id, outcome in zip(sent, outcomes, strict=True):
                if isinstance(outcome, BaseException):
                    _log.warning("not produced: %s: %r", message_id, outcome)
                else:
                    done.add(message_id)
        except (KafkaError, OSError, TimeoutError) as error:
            _log.warning("nothing produced: %r", error)
        finally:
            # A client that has failed once may be of no use any more.
            if len(done) < len(messages):
                await self._stop()
        return [message["messageId"] for message in messages if message["messageId"] not in done]

    async def _sent(self, producer: AIOKafkaProducer, message: dict[str, Any]) -> asyncio.Future[Any]:
        headers = [("content-type", b"application/json")]
        try:
            return await producer.send(
                os.environ["KAFKA_TOPIC"],
                message["body"].encode(),
                key=os.environ["ORGANIZATION_ID"].encode(),
                headers=headers,
            )
        except MessageSizeTooLargeError as error:
            # Those beside it in the batch are none the worse for it.
            refused = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"], acks="all", request_timeout_ms=15_000, **_security()
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


class _IamTokens(AbstractTokenProvider):
    """
    Tokens for MSK, signed with the credentials of the function.
    """

    def __init__(self, region: str) -> None:
        self._region = region

    async def token(self) -> str:
        # Needed, and there, in AWS alone.
        provider = import_module("aws_msk_iam_sasl_signer").MSKAuthTokenProvider
        token, _ = await asyncio.to_thread(provider.generate_auth_token, self._region)
        return str(token)


def _security() -> dict[str, Any]:
    region = os.environ.get("KAFKA_IAM_REGION")
    if region is None:
        return {}
    return {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "OAUTHBEARER",
        "sasl_oauth_token_provider": _IamTokens(region),
        "ssl_context": ssl.create_default_context(),
    }


@cache
def forwarder() -> Forwarder:
    """
    Return the one forwarder of this process.
    """
    return Forwarder()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Take a batch of messages, as Lambda hands it over, and tell which of them are to come again.
    """
    failed = forwarder().forward(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
