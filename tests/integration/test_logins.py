"""
The logins that are made for the processes of a deployment.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from tests.databases import administer, database_dsn
from tests.faults.secured import programs_with_tls
from tests.schemas import REPOSITORY

from rooftree.bootstrap.database import run_migrate
from rooftree.embedded import embedded_postgres
from rooftree.settings import Settings
from rooftree.store.address import database_address

pytestmark = pytest.mark.integration

SCRIPT = REPOSITORY / "deploy" / "postgres" / "logins.sql"
WORKERS = ("projector", "relay", "reconciler", "webhooks", "api", "verifier")


async def make_logins(dsn: str, **passwords: str) -> str:
    """
    Run the script as its manual says; a statement that fails fails the test.
    """
    environment = {"PATH": os.environ["PATH"]} | {
        f"{worker.upper()}_PASSWORD": password for worker, password in passwords.items()
    }
    process = await asyncio.create_subprocess_exec(
        *(programs_with_tls() / "psql", "--no-psqlrc", f"--dbname={dsn}", f"--file={SCRIPT}"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (0, b"") == (process.returncode, err), err.decode()
    return out.decode()


async def test_each_process_gets_a_login_in_its_role_before_there_is_a_schema(
    settings: Settings, server_folder: Path
) -> None:
    """
    The owner, who may make no roles, then migrates without asking anybody; each login may what its role may and nothing
    of another one; who is given no password later keeps the old one.
    """
    folder = server_folder / "logins"
    folder.mkdir()
    folder.chmod(0o711)
    async with embedded_postgres(folder, durable=False) as server:
        await administer(server.dsn, "create role owner login password 'of-the-schema'")
        await administer(server.dsn, 'create database "mine" owner owner')
        place = database_dsn(server.dsn, "mine")
        address = place.partition("@")[2]

        def chosen(user: str, password: str) -> Settings:
            return settings.model_copy(
                update={
                    "postgres_dsn": SecretStr(f"postgresql://{address}"),
                    "postgres_user": user,
                    "postgres_password": SecretStr(password),
                }
            )

        told = await make_logins(place, **{worker: f"it's {worker}" for worker in WORKERS if worker != "webhooks"})
        applied = await run_migrate(chosen("owner", "of-the-schema"))
        again = await make_logins(place, webhooks="later", relay='an"other')
        passwords = {worker: f"it's {worker}" for worker in WORKERS} | {"webhooks": "later", "relay": 'an"other'}
        roles = {}
        for worker, password in passwords.items():
            connection = await asyncpg.connect(database_address(chosen(f"app_{worker}", password)))
            try:
                roles[worker] = await connection.fetchval(
                    """
                    select array_agg(rolname::text order by rolname) from pg_roles
                    where pg_has_role(oid, 'usage') and rolname <> current_user
                    """
                )
                assert await connection.fetchval("select count(*) from rooftree.migration")
            finally:
                await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(database_address(chosen("app_relay", "it's relay")))

    assert applied
    assert {"app_webhooks   | left as it is: no password was given", "app_api        | may log in"} <= {
        line.strip() for line in told.splitlines()
    }
    assert "app_api        | left as it is" in again
    assert {worker: [f"rooftree_{worker}"] for worker in WORKERS} | {
        "api": ["rooftree_api", "rooftree_reader"]
    } == roles
