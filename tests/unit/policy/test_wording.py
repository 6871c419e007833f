from __future__ import annotations

import pytest

from rooftree.policy.wording import in_place, item_place, quote


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("abc", "`abc`"),
        ("", "``"),
        (7, "`7`"),
        (None, "`None`"),
        ("a\nb\x1b", "`a\\nb\\x1b`"),
        ("é", "`é`"),
        ("\ud800", "`\\ud800`"),
        ("x" * 64, f"`{'x' * 64}`"),
        ("x" * 65, f"`{'x' * 64}…`"),
    ],
)
def test_values_are_shown_short_and_on_one_line(value: object, shown: str) -> None:
    """
    What was given can neither flood a log nor steer a terminal.
    """
    assert shown == quote(value)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("aws:PrincipalTag/team", "aws:PrincipalTag/team"),
        ("Statement", "Statement"),
        ("a b", "`a b`"),
        ("a.b", "`a.b`"),
        ("", "``"),
    ],
)
def test_keys_stand_in_a_place_as_they_are_if_they_are_plain(key: str, shown: str) -> None:
    """
    A key that could be taken for more than one step is in backticks.
    """
    assert shown == in_place(key)


def test_the_place_of_a_value_has_its_position_only_in_a_list() -> None:
    """
    One value without a list stands at the element itself.
    """
    assert "Action[1]" == item_place("Action", 1, ["a", "b"])
    assert "Action" == item_place("Action", 0, "a")
