"""
What each role of a deployment may do in PostgreSQL. That this suffices is shown by every other test that runs workers:
each of them comes as its role.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from tests.databases import administer, as_role, database_dsn

from rooftree.bootstrap.database import run_migrate
from rooftree.embedded import embedded_postgres
from rooftree.errors import UsageError
from rooftree.settings import Settings
from rooftree.store.database import connect_database, open_database

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

ROLES = (
    *("rooftree_projector", "rooftree_relay", "rooftree_reconciler", "rooftree_api", "rooftree_reader"),
    *("rooftree_webhooks", "rooftree_verifier"),
)
VERBS = {"S": "select", "I": "insert", "U": "update", "D": "delete"}

# By table, in the order of ROLES; a small letter stands for some columns alone.
MATRIX: Mapping[str, tuple[str, ...]] = {
    "access_log": ("", "", "", "SIU", "", "", ""),
    "account": ("SIUD", "S", "S", "S", "S", "", "S"),
    "account_history": ("SIUD", "", "S", "S", "S", "", "S"),
    "api_token": ("", "", "", "SIU", "", "", ""),
    "audit_event": ("SI", "", "S", "S", "S", "S", "S"),
    "chain": ("SIU", "", "S", "S", "S", "", "S"),
    "consumer_offset": ("SIU", "", "S", "S", "S", "", "S"),
    "dead_letter": ("SIU", "Su", "", "S", "S", "", "s"),
    "fact": ("SIU", "", "S", "S", "S", "", "S"),
    "filled_topic": ("SID", "SIU", "", "S", "S", "", ""),
    "known_action": ("SI", "", "", "S", "S", "", ""),
    "log_loss": ("SIUD", "", "", "S", "S", "", ""),
    "migration": ("S", "S", "S", "S", "S", "S", "S"),
    "organization": ("SIU", "Su", "S", "S", "S", "", "S"),
    "outbox": ("SI", "SIUD", "", "S", "S", "", ""),
    "outbox_sent": ("S", "SIU", "", "S", "S", "", ""),
    "permission_set": ("SI", "S", "S", "S", "S", "", "S"),
    "permission_set_service": ("SI", "", "", "S", "S", "", "S"),
    "policy_document": ("SI", "", "S", "S", "S", "", "S"),
    "principal": ("SIUD", "", "", "S", "S", "", ""),
    "principal_document": ("SI", "", "S", "S", "S", "", ""),
    "principal_fact": ("SIUD", "", "S", "S", "S", "", ""),
    "probe": ("SIUD", "S", "S", "S", "S", "", ""),
    "reconciliation": ("", "", "SIUD", "S", "S", "", ""),
    "reread": ("SIUD", "", "S", "S", "S", "", ""),
    "seen_event": ("SI", "", "S", "S", "S", "", "S"),
    "session": ("", "", "", "SIUD", "", "", ""),
    "verification": ("", "", "", "S", "S", "", "SIU"),
    "webhook": ("", "", "", "sIuD", "", "SU", ""),  # of the secret the API may write alone
    "webhook_letter": ("", "", "", "Su", "", "SI", ""),
}


@pytest.fixture
async def connection(postgres_dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """
    A connection as the owner of everything.
    """
    opened = await connect_database(postgres_dsn)
    yield opened
    await opened.close()


async def test_grants_are_exactly_these(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """
    A table that is added to the schema is added here, with a thought about each role.
    """
    found: dict[str, list[str]] = {}
    tables = await connection.fetch(
        "select relname from pg_class where relnamespace = 'rooftree'::regnamespace and relkind in ('r', 'p')"
    )
    for name in sorted(row["relname"] for row in tables):
        for role in ROLES:
            letters = ""
            for letter, verb in VERBS.items():
                arguments = (role, f"rooftree.{name}", verb)
                if await connection.fetchval("select has_table_privilege($1, $2, $3)", *arguments):
                    letters += letter
                elif letter != "D" and await connection.fetchval(
                    "select has_any_column_privilege($1, $2, $3)", *arguments
                ):
                    letters += letter.lower()
            found.setdefault(name, []).append(letters)

    assert {name: list(letters) for name, letters in MATRIX.items()} == found


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_is_refused_elsewhere(connection: asyncpg.Connection[asyncpg.Record], role: str) -> None:
    """
    Every verb is tried on every table; nobody changes the schema, empties a table or makes a schema of its own.
    """
    place = ROLES.index(role)
    allowed = {(table, letter) for table, roles in MATRIX.items() for letter in roles[place].upper()}
    refused = set()
    for table in MATRIX:
        column = await connection.fetchval(
            """
            select attname from pg_attribute
            where attrelid = $1::text::regclass and attnum > 0 and attidentity = '' order by attnum limit 1
            """,
            f"rooftree.{table}",
        )
        statements = {
            "S": f"select 1 from rooftree.{table} limit 0",
            "I": f"insert into rooftree.{table} default values",
            "U": f"update rooftree.{table} set {column} = {column} where false",
            "D": f"delete from rooftree.{table} where false",
            "T": f"truncate rooftree.{table}",
            "A": f"alter table rooftree.{table} add column mine text",
        }
        refused |= {
            (table, letter) for letter, statement in statements.items() if await fails(connection, role, statement)
        }
    everywhere = {(table, letter) for table in MATRIX for letter in "SIUDTA"}
    of_columns = {(table, "U") for table, roles in MATRIX.items() if "u" in roles[place]}

    assert everywhere - (allowed - of_columns) == refused
    assert await fails(connection, role, "create table rooftree.mine (a text)")
    assert await fails(connection, role, "create schema mine")
    assert await fails(connection, role, "call rooftree.open_to_worker('rooftree_relay', 'delete', 'rooftree.fact')")


async def fails(connection: asyncpg.Connection[asyncpg.Record], role: str, statement: str) -> bool:
    """
    Tell whether a role may not do something; what it may do is undone.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"set local role {role}")
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.PostgresError:
        return False  # it was let in, and the row was no good
    finally:
        await transaction.rollback()
    return False


async def test_a_worker_of_the_wrong_role_says_so(settings: Settings) -> None:
    """
    One line that names the setting, and no attempt after the other.
    """
    relay = as_role(settings, "rooftree_relay").postgres_dsn.get_secret_value()
    async with open_database(relay) as database:
        with pytest.raises(UsageError, match="ROOFTREE_POSTGRES_DSN: PostgreSQL: permission denied for table fact"):
            async with database.connection() as connection:
                await connection.execute("delete from rooftree.fact")


async def test_who_may_not_make_roles_is_told_what_to_run(settings: Settings, server_folder: Path) -> None:
    """
    The statements can be taken from the message as they are, and then it goes on.
    """
    folder = server_folder / "roles"
    folder.mkdir()
    folder.chmod(0o711)
    async with embedded_postgres(folder, durable=False) as server:
        await administer(server.dsn, "create role owner login password 'of-the-schema'")
        await administer(server.dsn, 'create database "mine" owner owner')
        dsn = database_dsn(server.dsn, "mine").partition("@")[2]
        chosen = settings.model_copy(update={"postgres_dsn": SecretStr(f"postgresql://owner:of-the-schema@{dsn}")})
        asked = []
        applied: list[str] = []
        while not applied:
            try:
                applied = await run_migrate(chosen)
            except UsageError as error:
                asked.append(str(error))
                assert len(asked) < 4, asked
                for statement in str(error).partition("as a superuser: ")[2].split("; "):
                    await administer(server.dsn, statement)

    assert ["0009_access.sql", "0016_operation.sql", "0017_verification.sql"] == [
        message.partition(":")[0] for message in asked
    ]
    assert "create role rooftree_projector nologin" in asked[1]
    assert "create role rooftree_verifier nologin" in asked[2]
