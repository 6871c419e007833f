"""
One call to AWS: in its turn, again where that may help, and with one kind of error for each way in which it fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
)
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from rooftree.aws.journal import Journal
from rooftree.aws.limits import Limits
from rooftree.errors import RefusedCallError, UnavailableError, UsageError

__all__ = ["Calls", "Progress", "together"]

_T = TypeVar("_T")

THROTTLED: Final = frozenset(
    {
        "TooManyRequestsException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
    }
)
# Another change was under way, or AWS had a fault of its own: the next attempt may find it settled.
PASSING: Final = frozenset(
    {"ConcurrentModificationException", "ServiceException", "ServiceFailure", "InternalFailure", "ServiceUnavailable"}
)
ATTEMPTS: Final = 8
LONGEST_PAUSE: Final = 20.0
AT_ONCE: Final = 8

Progress = Callable[[int, int], None]
"""Told how many calls are done and how many are expected by now."""


class _AgainError(Exception):
    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"AWS: {operation}: {reason}")


class Calls:
    """
    Calls of one service, by one client.

    Attributes:
        began: A moment, by the clock of AWS, before the first answer was worked out; None before there is one. What
            is read is at least as new as this, but for what AWS says of its own consistency.
    """

    def __init__(
        self, client: Any, limits: Limits, *, journal: Journal | None = None, progress: Progress | None = None
    ) -> None:
        self._client = client
        self._limits = limits
        self._journal = journal
        self._progress = progress
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._done = self._expected = 0
        self.began: datetime | None = journal.began if journal is not None else None

    def expect(self, count: int) -> None:
        """
        Announce that so many lists or objects more will be asked for.
        """
        self._expected += count
        self._tell()

    async def ask(self, operation: str, **parameters: str) -> Mapping[str, Any]:
        """
        Make one call and return what it answers.

        Raises:
            RefusedCallError: AWS does not do it; the error has the code.
            UnavailableError: AWS does not answer, or not in time for all attempts.
            UsageError: There are no usable credentials.
        """
        [answer] = await self._remembered(operation, parameters, lambda: self._once(operation, parameters))
        return answer

    async def entries(self, operation: str, field: str, **parameters: str) -> list[Mapping[str, Any]]:
        """
        Return all entries of a list, over all of its pages.

        A page may be empty and yet not the last one: only a missing token says that.
        https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html

        Raises:
            RefusedCallError: AWS does not do it; the error has the code.
            UnavailableError: AWS does not answer, or not in time for all attempts.
            UsageError: There are no usable credentials.
        """
        return await self._remembered(operation, parameters, lambda: self._pages(operation, field, parameters))

    async def _remembered(
        self, operation: str, parameters: Mapping[str, str], make: Callable[[], Awaitable[list[Mapping[str, Any]]]]
    ) -> list[Mapping[str, Any]]:
        answers = self._journal.find(operation, parameters) if self._journal is not None else None
        if answers is None:
            answers = await make()
            if self._journal is not None:
                self._journal.record(operation, parameters, answers, began=self.began)
        self._done += 1
        self._expected = max(self._expected, self._done)
        self._tell()
        return list(answers)

    async def _once(self, operation: str, parameters: Mapping[str, str]) -> list[Mapping[str, Any]]:
        return [await self._attempts(operation, parameters)]

    async def _pages(self, operation: str, field: str, parameters: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = await self._attempts(operation, {**parameters, **token})
            found += page.get(field, ())
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    async def _attempts(self, operation: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_AgainError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE),
            reraise=True,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    await self._limits.wait(operation)
                    async with self._slots:
                        return await asyncio.to_thread(self._call, operation, parameters)
        except _AgainError as error:
            raise UnavailableError(f"{error} ({ATTEMPTS} attempts)") from error
        raise AssertionError("an attempt ends by a result or by an error")

    def _call(self, operation: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        started = time.monotonic()
        try:
            answer: dict[str, Any] = getattr(self._client, xform_name(operation))(**parameters)
        except ClientError as error:
            raise self._translate(operation, error) from error
        except (NoCredentialsError, PartialCredentialsError, TokenRetrievalError) as error:
            raise UsageError(f"AWS: {error}") from error
        except BotoCoreError as error:
            raise _AgainError(operation, str(error)) from error
        metadata = answer.pop("ResponseMetadata", {})
        if self.began is None:
            self.began = _began(metadata, time.monotonic() - started)
        return answer

    def _translate(self, operation: str, error: ClientError) -> Exception:
        told = error.response.get("Error", {})
        code, message = str(told.get("Code", "")), str(told.get("Message", ""))
        # The call that failed may be the one by which a role is assumed on the way.
        failed = error.operation_name or operation
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in THROTTLED:
            self._limits.exceeded(operation)
            return _AgainError(failed, f"{code}: {message}")
        if code in PASSING or status >= 500:
            return _AgainError(failed, f"{code}: {message}")
        return RefusedCallError(failed, code, message)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._done, max(self._expected, self._done))


async def together(asked: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """
    Return all results in their order; the first error ends the others.
    """
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _began(metadata: Mapping[str, Any], elapsed: float) -> datetime:
    """
    Return a moment before the answer was worked out, by the clock that the times of events are of too: that of AWS.

    The header has whole seconds, cut off, and was written at the end.
    """
    text = metadata.get("HTTPHeaders", {}).get("date")
    try:
        told = parsedate_to_datetime(text) if text else datetime.now(UTC)
    except ValueError:
        told = datetime.now(UTC)
    return (told if told.tzinfo is not None else told.replace(tzinfo=UTC)).astimezone(UTC) - timedelta(seconds=elapsed)
