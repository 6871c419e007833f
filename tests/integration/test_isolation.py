"""
What PostgreSQL shows to somebody who may see one of two organizations, whatever way they take.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from tests.brokers import Broker
from tests.databases import administer, database_dsn
from tests.integration.service import stored
from tests.integration.tenants import FOREIGN, FOREIGN_MARKS, OWN, tenants

from rooftree.bootstrap.database import open_store, run_migrate
from rooftree.errors import RefusedRowError, UsageError
from rooftree.settings import Settings
from rooftree.store.database import connect_database
from rooftree.store.letters import DatabaseLetters
from rooftree.store.queries import query
from rooftree.store.reader import DatabaseReader
from rooftree.store.restricted import RestrictedDatabase

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

RELATIONS = """
    select c.relname as name, c.relkind::text as kind, c.relrowsecurity as secured, c.reloptions as options,
        has_table_privilege('rooftree_reader', c.oid, 'select') as readable,
        has_table_privilege('rooftree_reader', c.oid, 'insert, update, delete, truncate') as writable,
        exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'organization_id') as of_one
    from pg_class as c
    where c.relnamespace = 'rooftree'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by c.relname
"""

FILLED = {
    *("account", "account_history", "audit_event", "chain", "dead_letter", "fact", "organization", "outbox"),
    *("permission_set", "policy_document", "principal", "principal_document", "principal_fact", "probe", "seen_event"),
    *("account_permissions", "account_permissions_history", "audit_events", "action_verdicts", "principals", "probes"),
}
"""Relations that hold something of both organizations, so that what is not seen of them is kept back."""


@pytest.fixture(scope="module")
async def service(postgres_server: str, template_database: str, broker: Broker) -> AsyncIterator[Settings]:
    """
    Fill a database with two organizations.
    """
    async with tenants(postgres_server, template_database, broker) as chosen:
        yield chosen


@pytest.fixture
async def reader(service: Settings) -> AsyncIterator[asyncpg.Connection[Any]]:
    """
    Connect and become the role of readers, with nothing set.
    """
    connection = await connect_database(service.postgres_dsn.get_secret_value())
    await connection.execute("set role rooftree_reader")
    yield connection
    await connection.close()


async def see(connection: asyncpg.Connection[Any], organizations: str) -> None:
    """
    Say for which organizations the connection reads.
    """
    await connection.execute("select set_config('rooftree.organizations', $1, false)", organizations)


async def relations(settings: Settings) -> list[dict[str, Any]]:
    """
    Return every table and view of the schema, with what protects it.
    """
    return await stored(settings, RELATIONS)


async def test_every_relation_with_organizations_is_protected(service: Settings) -> None:
    """
    Tables have row-level security, views read as whoever asks; a new one that has not is found here.
    """
    found = await relations(service)
    tables = [one for one in found if one["kind"] in {"r", "p"} and one["of_one"]]
    views = [one for one in found if one["kind"] in {"v", "m", "f"}]

    assert len(tables) >= 15
    assert len(views) >= 6
    assert [] == [one["name"] for one in tables if not one["secured"]]
    assert [] == [one["name"] for one in views if "security_invoker=true" not in (one["options"] or [])]
    assert [] == [one["name"] for one in views if not one["readable"]]


async def test_readers_can_write_nothing_and_see_no_secrets(service: Settings) -> None:
    """
    The role has SELECT and nothing else, and not even that on tokens, sessions and the access log; it calls nothing that
    runs with the rights of the owner.
    """
    found = await relations(service)
    [role] = await stored(
        service,
        "select rolsuper, rolbypassrls, rolcanlogin, rolcreaterole from pg_roles where rolname = 'rooftree_reader'",
    )
    [rights] = await stored(
        service,
        """
        select has_schema_privilege('rooftree_reader', 'rooftree', 'create') as creates,
            array_agg(p.proname::text) filter (where p.prosecdef) as as_owner,
            count(*) filter (where p.prosecdef and has_function_privilege('rooftree_reader', p.oid, 'execute')) as called
        from pg_proc as p where p.pronamespace = 'rooftree'::regnamespace
        """,
    )

    assert [] == [one["name"] for one in found if one["writable"]]
    assert {"api_token", "session", "access_log"} <= {one["name"] for one in found if not one["readable"]}
    assert {False} == set(role.values())
    assert {"creates": False, "as_owner": ["sign_webhook"], "called": 0} == rights


async def test_the_rows_of_one_organization_are_all_that_is_seen_of_any_relation(
    service: Settings, reader: asyncpg.Connection[Any]
) -> None:
    """
    Every table and every view: all of the own rows, none of the other's, and none at all with nothing set.
    """
    seen_by_nobody: dict[str, int] = {}
    for relation in await relations(service):
        if not (relation["of_one"] and relation["readable"]):
            continue
        name = relation["name"]
        count = f'select organization_id, count(*) as rows from rooftree."{name}" group by 1'
        there = {row["organization_id"]: row["rows"] for row in await stored(service, count)}
        assert name not in FILLED or {OWN, FOREIGN} <= set(there), name

        await see(reader, "")
        seen_by_nobody[name] = len(await reader.fetch(count))
        await see(reader, OWN)
        seen = {row["organization_id"]: row["rows"] for row in await reader.fetch(count)}
        text = "\n".join(str(tuple(row)) for row in await reader.fetch(f'select * from rooftree."{name}"'))
        await see(reader, "*")
        everything = {row["organization_id"]: row["rows"] for row in await reader.fetch(count)}

        assert {one: rows for one, rows in there.items() if one == OWN} == seen, name
        assert [] == [mark for mark in FOREIGN_MARKS if mark in text], name
        assert there == everything, name

    assert FILLED <= set(seen_by_nobody)
    assert {0} == set(seen_by_nobody.values())


async def test_a_setting_that_was_never_made_shows_nothing(reader: asyncpg.Connection[Any]) -> None:
    """
    Who forgets to say for whom they read is shown an empty database, not a full one.
    """
    assert 0 == await reader.fetchval("select count(*) from rooftree.account")
    assert 0 == await reader.fetchval("select count(*) from rooftree.account_permissions")


@pytest.mark.parametrize(
    "setting", ["%", "o-%", "null", "**", " *", "{*}", f"{OWN}x", f"'{FOREIGN}'", "o-exampleorg;*"]
)
async def test_a_setting_is_a_list_of_ids_and_no_pattern(reader: asyncpg.Connection[Any], setting: str) -> None:
    """
    Nothing but a star alone means everything.
    """
    await see(reader, setting)

    assert 0 == await reader.fetchval("select count(*) from rooftree.account")


async def test_a_prepared_statement_follows_the_setting(reader: asyncpg.Connection[Any]) -> None:
    """
    A plan that was made for one reader, generic ones too, serves the next with the rows of the next.
    """
    await reader.execute("set plan_cache_mode = force_generic_plan")
    statement = await reader.prepare("select distinct organization_id from rooftree.account_permissions order by 1")
    seen = []
    for setting in (OWN, FOREIGN, "", f"{OWN},{FOREIGN}"):
        await see(reader, setting)
        seen.append([row[0] for row in await statement.fetch()])

    assert [[OWN], [FOREIGN], [], [OWN, FOREIGN]] == seen


async def test_a_statement_prepared_by_the_owner_binds_the_reader(service: Settings) -> None:
    """
    A plan made without the policies is not used once the role has changed, as on a pooled connection.
    """
    connection = await connect_database(service.postgres_dsn.get_secret_value())
    statement = await connection.prepare("select distinct organization_id from rooftree.account order by 1")
    as_owner = [row[0] for row in await statement.fetch()]
    async with connection.transaction():
        await connection.execute("set local role rooftree_reader")
        as_reader = [row[0] for row in await statement.fetch()]
    await connection.close()

    assert ([OWN, FOREIGN], []) == (as_owner, as_reader)


@pytest.mark.parametrize(
    "attempt",
    [
        "select email from rooftree.account where organization_id = 'o-foreignorg'",
        "select * from rooftree.audit_events where data::text like '%xyzzy%'",
        "select a.name from rooftree.account a join rooftree.organization o on o.organization_id <> a.organization_id",
        "select name from rooftree.account where 1 / (case when organization_id = 'o-foreignorg' then 0 else 1 end) = 0",
        "select rooftree.permissions_of(permissions, account_id) from rooftree.account_permissions where account_id like '9%'",
        "table rooftree.policy_document except select * from rooftree.policy_document where organization_id = 'o-exampleorg'",
        "select * from ts_stat('select to_tsvector(name) from rooftree.account') where word like '%xyzzy%'",
    ],
)
async def test_ways_around_lead_nowhere(reader: asyncpg.Connection[Any], attempt: str) -> None:
    """
    Joins, views, functions and errors that tell tales give nothing of the other organization away.
    """
    await see(reader, OWN)

    assert [] == await reader.fetch(attempt)


@pytest.mark.parametrize(
    "attempt",
    [
        "alter table rooftree.account disable row level security",
        "drop policy readers on rooftree.account",
        "create policy mine on rooftree.account using (true)",
        "alter view rooftree.account_permissions set (security_invoker = false)",
        "create function rooftree.f() returns bigint language sql security definer return 1",
        "create or replace function rooftree.sees_all() returns boolean language sql stable return true",
        "call rooftree.open_to_readers('rooftree.account')",
        "insert into rooftree.organization (organization_id, chain_hash) values ('o-x', '')",
        "update rooftree.account set organization_id = 'o-exampleorg'",
        "delete from rooftree.audit_event",
        "truncate rooftree.fact",
        "copy rooftree.account to program 'cat'",
        "select * from rooftree.api_token",
        "select * from rooftree.session",
        "select * from rooftree.access_log",
        "explain (analyze) delete from rooftree.account",
    ],
)
async def test_what_a_reader_may_not_do_is_refused(reader: asyncpg.Connection[Any], attempt: str) -> None:
    """
    PostgreSQL itself says no.
    """
    await see(reader, OWN)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(attempt)


async def test_row_security_cannot_be_turned_off_by_its_setting(reader: asyncpg.Connection[Any]) -> None:
    """
    ``row_security = off`` makes a query fail instead of showing less in silence; it never shows more.
    """
    await see(reader, OWN)
    await reader.execute("set row_security = off")

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await reader.fetch("select * from rooftree.account")


async def test_a_connection_that_another_caller_had_keeps_nothing_of_them(service: Settings) -> None:
    """
    One pooled connection, lent by turns: each caller sees their own, and the owner's role is back afterwards.
    """
    chosen = service.model_copy(update={"postgres_pool_size": 2})
    async with open_store(chosen, "rooftree-test") as database:
        seen = []
        for organizations in (frozenset({OWN}), frozenset({FOREIGN}), frozenset[str](), None, frozenset({"*"})):
            reader = DatabaseReader(RestrictedDatabase(database, organizations))
            seen.append([one.organization_id for one in await reader.organizations()])
        async with database.connection() as connection:
            after = await connection.fetchrow(
                "select current_user <> 'rooftree_reader' as owner, current_setting('rooftree.organizations', true) as seen"
            )

    assert [[OWN], [FOREIGN], [], [OWN, FOREIGN], []] == seen
    assert after is not None
    assert after["owner"]
    assert after["seen"] in {None, ""}


async def test_a_failed_read_leaves_nothing_behind(service: Settings) -> None:
    """
    A connection whose transaction was broken off has neither the role nor the organizations of its caller.
    """
    async with open_store(service.model_copy(update={"postgres_pool_size": 2}), "rooftree-test") as database:
        with pytest.raises(RefusedRowError, match="division by zero"):
            async with RestrictedDatabase(database, frozenset({OWN})).connection() as connection:
                await connection.fetch("select 1 / 0")
        async with database.connection() as connection:
            assert await connection.fetchval("select current_user <> 'rooftree_reader'")
            assert (
                await connection.fetchval("select coalesce(current_setting('rooftree.organizations', true), '')") == ""
            )


async def test_a_restricted_reader_answers_about_other_organizations_as_about_none(service: Settings) -> None:
    """
    Every method of the port, asked about the other organization, says what it says of one that does not exist.
    """
    async with open_store(service, "rooftree-test") as database:
        restricted = RestrictedDatabase(database, frozenset({OWN}))
        reader, letters = DatabaseReader(restricted), DatabaseLetters(restricted)
        shop, vault = "222222222222", "922222222229"

        own = await reader.account(OWN, shop)
        assert own is not None
        assert own.permissions_id is not None
        assert await reader.permissions(OWN, own.permissions_id)
        assert {OWN} == {letter.organization_id for letter in await letters.letters()}

        assert 0 == await reader.count_accounts(FOREIGN)
        assert [] == await reader.accounts(FOREIGN)
        assert await reader.account(FOREIGN, vault) is None
        assert [] == await reader.organizations_of(vault)
        assert [] == await reader.history(FOREIGN, vault)
        assert await reader.permissions(FOREIGN, own.permissions_id) is None
        assert {} == await reader.names(FOREIGN)
        assert [] == await reader.facts(FOREIGN)
        assert [] == await reader.principal_facts(FOREIGN, [vault])
        assert {} == await reader.count_principals(FOREIGN, [vault])
        assert [] == await reader.probes(FOREIGN)
        assert [] == await reader.rereads(FOREIGN)
        assert [] == await reader.reconciliations(FOREIGN)
        assert [] == await reader.audit(FOREIGN)
        assert [] == await reader.audit_after(FOREIGN, (0, 0))
        assert 0 == await reader.count_seen(FOREIGN, "xyzzy", ["attach"])
        assert [] == await letters.letters(FOREIGN)
        assert [] == await letters.latest(FOREIGN, limit=10)
        assert 0 == await letters.count_waiting(FOREIGN)


PLANS = {
    "account": "select * from rooftree.account where organization_id = $1 and account_id = '222222222222'",
    "accounts": "select * from rooftree.account where organization_id = $1 and account_id > '3' order by account_id limit 10",
    "audit_event": "select * from rooftree.audit_event where organization_id = $1 and (revision, part) < (5, 1)"
    " order by revision desc, part desc limit 10",
    "account_history": "select * from rooftree.account_history where organization_id = $1 and account_id = '222222222222'",
    "permission_set": "select * from rooftree.permission_set where organization_id = $1 and permissions_id = 'x'",
}


@pytest.mark.parametrize("name", PLANS)
async def test_policies_leave_the_indexes_to_the_queries(service: Settings, name: str) -> None:
    """
    A reader's plan looks up the same index by the same columns as the owner's.
    """
    connection = await connect_database(service.postgres_dsn.get_secret_value())
    try:
        conditions = []
        for role in (None, "rooftree_reader"):
            async with connection.transaction():
                # So few rows are read faster as a whole; the question is what is possible.
                await connection.execute("set local enable_seqscan = off")
                await connection.execute("set local enable_bitmapscan = off")
                await connection.execute("set local plan_cache_mode = force_generic_plan")
                if role:
                    await connection.execute(f"set local role {role}")
                await connection.execute(f"prepare it(text) as {PLANS[name]}")
                lines = [row[0] for row in await connection.fetch(f"explain (costs off) execute it('{OWN}')")]
                await connection.execute("deallocate it")
            conditions.append([line.strip() for line in lines if "Index Cond" in line or "Index Scan" in line])
    finally:
        await connection.close()

    assert conditions[0]
    assert conditions[0] == conditions[1]


@pytest.mark.parametrize("role", [None, "rooftree_reader"])
async def test_the_versions_of_a_policy_do_not_read_all_of_the_history(service: Settings, role: str | None) -> None:
    """
    One step of an index for each chain, for the owner as for a reader.
    """
    statement = query("outline_policy_versions").rstrip("; \n")
    connection = await connect_database(service.postgres_dsn.get_secret_value())
    try:
        async with connection.transaction():
            # So few rows are read faster as a whole; the question is what is possible.
            await connection.execute("set local enable_seqscan = off")
            await connection.execute("set local plan_cache_mode = force_generic_plan")
            if role:
                await connection.execute(f"set local role {role}")
            await connection.execute(f"prepare versions(text, text) as {statement}")
            lines = [
                row[0]
                for row in await connection.fetch(f"explain (costs off) execute versions('{OWN}', 'p-denyregions')")
            ]
            await connection.execute("deallocate versions")
    finally:
        await connection.close()
    [place] = [number for number, line in enumerate(lines) if "account_history_by_chain" in line]

    assert "Index" in lines[place]
    assert "(organization_id = $1)" in lines[place + 1]
    assert "chain_id = " in lines[place + 1]


async def test_a_user_without_rights_is_told_what_to_run(postgres_server: str) -> None:
    """
    A migration that may not make the role, or may not join it, names the statements; after them it goes through.
    """
    name = f"rooftree_plain_{id(object())}"
    connection = await asyncpg.connect(database_dsn(postgres_server, "postgres"))
    await connection.execute(f"create role {name} login password 'plain' nosuperuser nocreaterole")
    await administer(postgres_server, f"create database {name} owner {name}")
    superuser = await asyncpg.connect(database_dsn(postgres_server, name))
    await superuser.execute("create extension btree_gist")
    host = database_dsn(postgres_server, name).rpartition("@")[2]
    settings = Settings(postgres_dsn=SecretStr(f"postgresql://{name}:plain@{host}"))
    try:
        with pytest.raises(UsageError) as refusal:
            await run_migrate(settings)
        _, _, statement = str(refusal.value).partition("as a superuser: ")
        await superuser.execute(statement)
        await run_migrate(settings)
        async with open_store(settings, "rooftree-test") as database:
            organizations = await DatabaseReader(RestrictedDatabase(database, None)).organizations()
    finally:
        await superuser.close()
        await administer(postgres_server, f"drop database {name} with (force)")
        await connection.execute(f"drop role {name}")
        await connection.close()

    assert statement.endswith(f"grant rooftree_reader to {name}")
    assert [] == organizations
