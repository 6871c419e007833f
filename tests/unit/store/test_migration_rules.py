"""
Steps are applied while others read and write, so none may hold a lock for long or write a large table anew.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from rooftree.store.migrations import Migration, migrations

SQUAWK = Path(sys.executable).with_name("squawk")

# Widths of columns are chosen with care; how long locks are waited for is said by whoever applies the steps.
TASTE = ("prefer-bigint-over-int", "prefer-bigint-over-smallint", "require-lock-timeout", "require-statement-timeout")

# What was accepted, and why. A new step that needs such a thing says so here, where its review sees it.
ACCEPTED: Mapping[tuple[str, str], str] = {
    ("0004_dead_letters.sql", "constraint-missing-not-valid"): "there are few dead letters",
    ("0004_dead_letters.sql", "require-concurrent-index-creation"): "there are few dead letters",
    ("0004_dead_letters.sql", "writes rows"): "there are few dead letters, and one row an organization",
    ("0007_rereads.sql", "require-concurrent-index-creation"): "one read of the facts; only those of accounts enter it",
    ("0014_chain_history.sql", "prefer-robust-stmts"): "the index is dropped before it is built, so it can be repeated",
    ("0019_history_spans.sql", "ban-drop-constraint"): "a trigger of the same step keeps what it promised",
}


def findings(steps: Iterable[Migration], folder: Path) -> set[tuple[str, str]]:
    """
    Return the rules that steps break, with the names of the steps.
    """
    found = set()
    for step in steps:
        path = folder / step.name
        path.write_text(step.sql, "utf-8")
        excluded = f"--exclude={','.join(TASTE)}"
        enclosed = ["--assume-in-transaction"] if step.in_transaction else []
        done = subprocess.run(
            [SQUAWK, "--reporter=json", "--pg-version=15.0", excluded, *enclosed, path],
            capture_output=True,
            check=False,
            timeout=60,
        )
        found |= {(step.name, each["rule_name"]) for each in json.loads(done.stdout or "[]")}
        if re.search(r"^\s*(update|delete from|insert into)\s", without_bodies(step.sql), re.MULTILINE | re.IGNORECASE):
            found.add((step.name, "writes rows"))
    return found


def without_bodies(sql: str) -> str:
    """
    Return what a step does itself, without the bodies of functions.
    """
    return re.sub(r"\$(\w*)\$.*?\$\1\$", "$$", sql, flags=re.DOTALL)


def test_the_linter_is_there() -> None:
    """
    A check that did not run would find nothing.
    """
    assert shutil.which(str(SQUAWK)) is not None


def test_no_step_stops_readers_or_writers_for_long(tmp_path: Path) -> None:
    """
    What is accepted is written down with its reason, and nothing is written down that is not there.
    """
    assert set(ACCEPTED) == findings(migrations(), tmp_path)


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("create index audit_event_by_time on rooftree.audit_event (time);", "require-concurrent-index-creation"),
        ("alter table rooftree.account alter column name type varchar(9);", "changing-column-type"),
        ("alter table rooftree.account alter column email set not null;", "adding-not-nullable-field"),
        ("alter table rooftree.account add constraint c check (name <> '');", "constraint-missing-not-valid"),
        ("alter table rooftree.account drop column email;", "ban-drop-column"),
        ("alter table rooftree.account rename column email to mail;", "renaming-column"),
        ("update rooftree.account_history set name = '';", "writes rows"),
    ],
    ids=lambda value: value if " " not in value else "",
)
def test_a_step_that_would_is_found(tmp_path: Path, sql: str, rule: str) -> None:
    """
    The rules bite.
    """
    assert ("9999_bad.sql", rule) in findings([Migration(9999, "9999_bad.sql", sql)], tmp_path)


def test_a_step_that_is_no_transaction_can_be_repeated() -> None:
    """
    An index whose building failed stands there as invalid: it is dropped before it is built.
    """
    for step in (step for step in migrations() if not step.in_transaction):
        for statement in step.statements:
            plain = re.sub(r"^\s*--.*$", "", statement, flags=re.MULTILINE).strip()
            built = re.fullmatch(r"create (?:unique )?index concurrently (\w+) on .*", plain, re.DOTALL)
            assert built or plain.startswith(("drop index concurrently if exists ", "comment on "))
            if built:
                assert f"drop index concurrently if exists rooftree.{built[1]}" in step.sql
