"""
SQL by name.
"""

from __future__ import annotations

import re

import pytest

from rooftree.store.migrations import migrations
from rooftree.store.queries import query, statements


def test_every_statement_is_found_with_its_text() -> None:
    """
    Neither heading nor description is part of it.
    """
    assert query("nudge_relays").startswith("select pg_notify")
    assert not any(text.startswith("--") for text in statements().values())


def test_an_unknown_name_is_an_error() -> None:
    """
    A statement that is not there is a mistake of ours.
    """
    with pytest.raises(KeyError):
        query("drop_everything")


def test_tables_are_named_with_their_schema() -> None:
    """
    Nothing depends on the search path of a session.
    """
    tables = {name for step in migrations() for name in re.findall(r"create table rooftree\.(\w+)", step.sql)}
    bare = {
        name: table
        for name, text in statements().items()
        for table in re.findall(r"\b(?:from|join|into|update)\s+(\w+)\b(?!\.)", text)
        if table in tables
    }

    assert tables
    assert {} == bare


def test_no_two_migrations_have_one_number() -> None:
    """
    Their order is that of their numbers; one that is not there yet may come in between, since each is applied once.
    """
    numbers = [step.version for step in migrations()]

    assert sorted(set(numbers)) == numbers


def test_primary_keys_start_with_the_organization() -> None:
    """
    Rows can be spread over servers by organization, except for what belongs to no organization.
    """
    shared = {"known_action", "consumer_offset", "log_loss", "api_token", "session", "access_log"}
    text = "\n".join(step.sql for step in migrations())
    found = dict(re.findall(r"create table rooftree\.(\w+) \(.*?primary key \((\w+)", text, re.DOTALL))

    assert found
    assert {"organization_id"} == {column for table, column in found.items() if table not in shared}
