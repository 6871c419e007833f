"""
Servers as children: they start clean, keep what they should, and never stay behind.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest

from rooftree.embedded import embedded_broker, embedded_postgres
from rooftree.errors import UnavailableError
from rooftree.settings import Settings
from rooftree.stream.identity import topic_identity

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

PARENT = """
import asyncio, json, sys
from pathlib import Path
from rooftree.embedded import embedded_broker, embedded_postgres

async def main():
    folder = Path(sys.argv[1])
    async with embedded_postgres(folder, durable=False) as postgres, embedded_broker(folder) as broker:
        print(json.dumps([postgres.child.pid, broker.child.pid, broker.bootstrap]), file=sys.stderr, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def folder(server_folder: Path, request: pytest.FixtureRequest) -> Path:
    """
    A folder that does not exist yet.
    """
    return server_folder / f"{request.node.name}-{os.getpid()}"


def is_free(port: int) -> bool:
    """
    Tell whether nothing listens there.
    """
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def test_data_stay_for_the_next_start(folder: Path) -> None:
    """
    The same password opens the same database, on whichever port it is then.
    """
    async with embedded_postgres(folder) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("create table kept (value text); insert into kept values ('still here')")
        await connection.close()
        port = urlsplit(server.dsn).port
    gone = is_free(port or 0)
    async with embedded_postgres(folder) as server:
        connection = await asyncpg.connect(server.dsn)
        kept = await connection.fetchval("select value from kept")
        await connection.close()

    assert gone
    assert "still here" == kept


async def test_the_database_asks_for_the_password(folder: Path) -> None:
    """
    Other users of the machine can reach the port.
    """
    async with embedded_postgres(folder, durable=False) as server:
        address = urlsplit(server.dsn)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://{address.username}:guess@{address.hostname}:{address.port}/rooftree")

    assert 0o600 == (folder / "postgres.password").stat().st_mode & 0o777


async def test_an_interrupted_first_start_is_made_good(folder: Path) -> None:
    """
    What is half made is not taken for a database.
    """
    half = folder / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with embedded_postgres(folder, durable=False) as server:
        connection = await asyncpg.connect(server.dsn)
        answer = await connection.fetchval("select 1")
        await connection.close()

    assert 1 == answer


async def test_each_start_of_the_broker_is_another_log(folder: Path) -> None:
    """
    It forgets everything, and its cluster id says so.
    """
    found = []
    for _ in range(2):
        async with embedded_broker(folder) as broker:
            told = await topic_identity(Settings(kafka_bootstrap=broker.bootstrap), "any")
            found.append((broker.log_id, told.cluster_id))

    assert [each[0] for each in found] == [each[1] for each in found]
    assert 2 == len({each[0] for each in found})


async def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    """
    A clear error instead of a broker that nobody reaches.
    """
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
            async with embedded_broker(folder, port=port):
                pass

    assert is_free(port)


@pytest.mark.parametrize("server", [embedded_postgres, embedded_broker])
async def test_a_server_that_dies_is_noticed(folder: Path, server: object) -> None:
    """
    Who watches it learns at once.
    """
    assert callable(server)
    async with server(folder) as running:
        watching = asyncio.create_task(running.watch())
        await asyncio.sleep(0)
        os.kill(running.child.pid, signal.SIGKILL)
        with pytest.raises(UnavailableError, match="ended with status"):
            await asyncio.wait_for(watching, 10)


@pytest.fixture
async def parent(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[int], int]]:
    """
    A process with both servers, the ids of these, and the broker's port.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), 90)
    *children, bootstrap = json.loads(line)
    yield process, children, int(bootstrap.rpartition(":")[2])
    if process.returncode is None:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
async def test_servers_never_outlive_their_parent(
    parent: tuple[asyncio.subprocess.Process, list[int], int], number: signal.Signals
) -> None:
    """
    However it ends, they are gone within seconds.
    """
    process, children, port = parent
    watched = [psutil.Process(pid) for pid in children]
    process.send_signal(number)
    await asyncio.wait_for(process.wait(), 60)
    _, alive = await asyncio.to_thread(psutil.wait_procs, watched, 60)

    assert [] == [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    assert is_free(port)
