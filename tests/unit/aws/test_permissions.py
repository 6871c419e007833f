"""
What is printed of the permissions is what the documentation shows.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rooftree.cli import main

PAGE = Path(__file__).parents[3] / "docs" / "aws.md"
SHOWN = re.findall(r"```json (aws permissions[^\n]*)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("command", "policy"), SHOWN, ids=[command for command, _ in SHOWN])
def test_the_page_shows_what_the_command_prints(command: str, policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Each policy on the page is the output of the command that it is said to be of.
    """
    assert 0 == main(command.split())
    assert json.loads(policy) == json.loads(capsys.readouterr().out)


def test_all_forms_are_shown() -> None:
    """
    The page has the policy of the organization, with principals, and of the role in each account.
    """
    assert ["aws permissions", "aws permissions --iam", "aws permissions --in-account"] == [one for one, _ in SHOWN]
