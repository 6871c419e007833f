"""
Connections to PostgreSQL, each wait with a deadline, each failure of the server as one error.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from rooftree.errors import RefusedRowError, UnavailableError, UsageError
from rooftree.store.copying import BulkConnection
from rooftree.store.observing import statement_observer
from rooftree.telemetry.metrics import Metrics

__all__ = ["Connection", "Database", "Pool", "Row", "as_json", "connect_database", "open_database", "translated_errors"]

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

Row: TypeAlias = asyncpg.Record

_CLOSE_SECONDS = 5.0

# What another attempt may mend: the server is away, starting, stopping, full, or gave up on a conflict.
_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InternalClientError,
)

# What a value is to blame for, and no attempt mends. Other errors are mistakes of ours, and stay what they are.
_REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


def as_json(value: object) -> str:
    """
    Return JSON text, for parameters that are cast to ``jsonb`` in the statement.
    """
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


@contextmanager
def translated_errors() -> Iterator[None]:
    """
    Turn what the driver raises into the errors of the service.

    Raises:
        UnavailableError: The server does not answer, or could not finish; another attempt may help.
        RefusedRowError: The server does not take a value.
        UsageError: This user may not do that.
    """
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        told = ": ".join(part for part in (_first_line(error), error.hint) if part)
        raise UsageError(f"PostgreSQL: {told}", place="ROOFTREE_POSTGRES_DSN") from error
    except _REFUSALS as error:
        raise RefusedRowError(f"PostgreSQL: {_first_line(error)}") from error
    except _PASSING as error:
        raise UnavailableError(f"PostgreSQL: {_first_line(error)}") from error
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):  # the driver's own kind of DataError, which it does not show
            raise RefusedRowError(f"PostgreSQL: {_first_line(error)}") from error
        if _has_lost_its_connection(error):
            raise UnavailableError(f"PostgreSQL: {_first_line(error)}") from error
        raise


def _has_lost_its_connection(error: Exception) -> bool:
    # A connection that is cut off in the middle of a COPY is left in a state of which the driver says, at the next
    # statement, that another operation is in progress. Its other messages are about wrong use, which no attempt mends.
    if isinstance(error, asyncpg.InternalClientError):
        return True
    return type(error) is asyncpg.InterfaceError and ("clos" in str(error) or "in progress" in str(error))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class Database:
    """
    A pool of connections.
    """

    def __init__(self, pool: Pool, *, acquire_timeout: float) -> None:
        self._pool = pool
        self._acquire_timeout = acquire_timeout

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """
        Lend a connection.

        Raises:
            UnavailableError: None came free in time, or the server failed meanwhile.
        """
        with translated_errors():
            async with self._lent() as connection:
                try:
                    yield connection
                except (asyncpg.InternalClientError, asyncpg.InterfaceError) as error:
                    if _has_lost_its_connection(error):
                        # Its reset would fail for the pool, or the pool would lend it again; one that the driver
                        # knows to be closed is back in the pool already, and does not take the call.
                        with contextlib.suppress(asyncpg.InterfaceError):
                            connection.terminate()
                    raise

    async def replace_lost(self) -> None:
        """
        Have the next one lent a connection that the server still knows.

        For a pool of one, in a process whose event loop does not always run and so does not see a connection end.
        """
        # Whether there is a server for another connection is seen by whoever is lent it.
        with contextlib.suppress(UnavailableError):
            async with self.connection() as connection:
                try:
                    await connection.fetchval("select 1", timeout=self._acquire_timeout)
                except BaseException:
                    with contextlib.suppress(asyncpg.InterfaceError):
                        connection.terminate()
                    raise

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        started = time.perf_counter()
        try:
            connection = await self._pool.acquire(timeout=self._acquire_timeout)
        except TimeoutError as error:
            Metrics.pool_timeouts.inc()
            raise UnavailableError(f"PostgreSQL: no connection within {self._acquire_timeout:g} s") from error
        finally:
            Metrics.pool_wait_seconds.observe(time.perf_counter() - started)
        Metrics.pool_in_use.inc()
        try:
            yield connection
        finally:
            Metrics.pool_in_use.dec()
            await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[Connection]:
        """
        Lend a connection within a transaction that commits at the end of the block and rolls back on any error.

        Args:
            read_only: One snapshot for all statements, and nothing may be written.

        Raises:
            UnavailableError: The server failed. Whether the transaction took effect is not known then.
        """
        async with (
            self.connection() as connection,
            connection.transaction(isolation="repeatable_read" if read_only else "read_committed", readonly=read_only),
        ):
            yield connection


@asynccontextmanager
async def open_database(
    dsn: str,
    *,
    size: int = 8,
    connect_timeout: float = 10,
    command_timeout: float = 120,
    lock_timeout: float = 30,
    idle_timeout: float = 30,
    slow_statement: float = 1,
    statement_cache: int = 256,
    application_name: str = "rooftree",
) -> AsyncIterator[Database]:
    """
    Open a pool for the time of the context.

    Args:
        dsn: ``postgresql://…``.
        size: Most connections at a time.
        connect_timeout: Seconds for opening a connection, and for waiting for a free one.
        command_timeout: Seconds for one statement.
        lock_timeout: Seconds for which a statement waits for a lock of another session.
        idle_timeout: Seconds of silence after which the server ends a transaction.
        slow_statement: Seconds from which on a statement is told of in the log.
        statement_cache: Prepared statements kept by connection; 0 behind a pooler by transaction.
        application_name: How the connections are called in ``pg_stat_activity``.

    Raises:
        UnavailableError: The server does not answer.
    """
    observer = statement_observer(slow=slow_statement)

    async def prepare(connection: Connection) -> None:
        await _prepare(connection)
        connection.add_query_logger(observer)

    with translated_errors():
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=connect_timeout,
            command_timeout=command_timeout,
            statement_cache_size=statement_cache,
            init=prepare,
            reset=_nothing,
            connection_class=BulkConnection,
            server_settings={
                **_session(application_name),
                "lock_timeout": _milliseconds(lock_timeout),
                # A writer that hangs between two statements would block its organization for every other.
                "idle_in_transaction_session_timeout": _milliseconds(idle_timeout),
            },
        )
    try:
        yield Database(pool, acquire_timeout=connect_timeout)
    finally:
        await _close(pool)


async def connect_database(
    dsn: str, *, connect_timeout: float = 10, application_name: str = "rooftree"
) -> asyncpg.Connection[asyncpg.Record]:
    """
    Open one connection outside of any pool: for listening, for locks that outlive a transaction, for migrations.

    The caller closes it.

    Raises:
        UnavailableError: The server does not answer.
    """
    with translated_errors():
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            dsn, timeout=connect_timeout, server_settings=_session(application_name)
        )
        try:
            await _prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection


def _session(application_name: str) -> dict[str, str]:
    return {
        "application_name": application_name,
        "timezone": "UTC",
        "jit": "off",
    }


def _milliseconds(seconds: float) -> str:
    # Nought would mean no limit.
    return f"{max(1, round(seconds * 1000))}ms"


async def _prepare(connection: Connection) -> None:
    # jsonb travels as a version byte and the text; in binary, so that COPY can use it too. Bytes are JSON text already.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + (value if type(value) is bytes else orjson.dumps(value, default=_plain)),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )


async def _nothing(_: object) -> None:
    # INVARIANT: whatever is set, locked or opened on a connection of the pool ends with its transaction, and sessions of
    # another kind have a connection of their own. The driver, which would undo such things by a statement each time a
    # connection comes back, still rolls a transaction back that was left open.
    pass


async def _close(pool: Pool) -> None:
    # close() waits for connections in use and may wait for ever on a dead server; nothing of value is only here.
    with contextlib.suppress(Exception):
        try:
            await asyncio.wait_for(pool.close(), _CLOSE_SECONDS)
        except TimeoutError:
            pool.terminate()
