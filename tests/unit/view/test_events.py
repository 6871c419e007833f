from __future__ import annotations

import json
from typing import Any

import pytest

from rooftree.permissions import AccountBinding
from rooftree.view.events import AuditLog, SealedData
from rooftree.view.shared_changes import SharedChanges

BINDING = AccountBinding("111111111111", "o-exampleorg", "o-exampleorg/r-ab12/")


class Told:
    """
    A comparison that names the account, and something else.
    """

    verdict = "tightened"

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked = 0

    def changes(self, account: AccountBinding) -> list[dict[str, object]]:
        """
        Return one change.
        """
        self.asked += 1
        return [{"resource": f"arn:aws:iam::{account.account_id}:role/x", "text": self.text}]


@pytest.mark.parametrize("text", ["plain", "{account}", '"\\', "\uffff", "für"])
def test_shared_changes_are_those_of_each_account(text: str) -> None:
    """
    Whatever the policies hold, also what stands for the account while it is worded.
    """
    comparison: Any = Told(text)
    shared = SharedChanges(comparison, BINDING)

    for account_id in ("222222222222", "333333333333"):
        expected = [{"resource": f"arn:aws:iam::{account_id}:role/x", "text": text}]
        assert json.dumps(expected, ensure_ascii=False, separators=(",", ":")) == shared.of(account_id)


def test_changes_are_worded_once_for_all_accounts() -> None:
    """
    Ten thousand accounts cost no more than a few.
    """
    comparison: Any = Told("plain")
    shared = SharedChanges(comparison, BINDING)
    asked = comparison.asked

    assert 100 == len({shared.of(f"{number:012d}") for number in range(100)})
    assert asked == comparison.asked


def test_sealed_data_reads_like_what_it_was_written_from() -> None:
    """
    Field by field, and as a whole.
    """
    data = SealedData('{"a":1,"b":["x"]}')

    assert {"a": 1, "b": ["x"]} == data
    assert (1, ["a", "b"], 2) == (data["a"], list(data), len(data))


def test_an_empty_log_equals_nothing_told() -> None:
    """
    As a sequence of no events.
    """
    assert () == AuditLog()
    assert AuditLog() == AuditLog() + AuditLog()
