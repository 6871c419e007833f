from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.cases.simulation_cases import FOLDER

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "evaluation.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/.:-]+)`", TEXT)))


@pytest.mark.parametrize("name", NAMED)
def test_every_test_that_the_page_names_exists(name: str) -> None:
    """
    A file of cases, a folder, or a function in a file of tests.
    """
    path, _, function = name.partition("::")
    content = REPOSITORY / path

    assert content.exists()
    assert not function or re.search(rf"^def {function}\(", content.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_file_of_cases_is_named() -> None:
    """
    None is held to without a row that says why.
    """
    assert {f"tests/cases/simulation/{path.name}" for path in FOLDER.glob("*.json")} <= set(NAMED)


def test_every_row_has_a_source_and_a_test_or_a_reason() -> None:
    """
    The table is whole.
    """
    rows = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line]
    rows = [row for row in rows if row[0] != "| what holds"]

    assert len(rows) > 100
    for what, source, test in rows:
        assert what
        assert re.fullmatch(r"\[[^\]]+\](, \[[^\]]+\])*", source)
        assert test.startswith(("`tests/", "not looked at: "))


def test_every_source_is_a_page_of_aws() -> None:
    """
    Each link is defined once, and used.
    """
    defined = dict(re.findall(r"^\[([^\]]+)\]: (\S+)$", TEXT, re.MULTILINE))
    used = set(re.findall(r"\[([^\]]+)\](?!:)", TEXT))

    assert used == set(defined)
    assert all(re.match(r"https://(docs\.)?aws\.amazon\.com/", link) for link in defined.values())
