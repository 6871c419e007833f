from __future__ import annotations

from collections.abc import MutableMapping

from rooftree.organization.branches import branch


def test_branches_go_their_own_ways() -> None:
    """What is put into one is neither in the other nor in what both go on from, also where one has branched again."""
    stem = {"a": 1, "b": 2}
    first: MutableMapping[str, int]
    first, second = branch(stem)
    first["a"] = 3
    second["c"] = 4
    second, third = branch(second)
    third["b"] = 5
    second["d"] = 6

    assert {"a": 1, "b": 2} == stem
    assert {"a": 3, "b": 2} == dict(first)
    assert {"a": 1, "b": 2, "c": 4, "d": 6} == dict(second)
    assert {"a": 1, "b": 5, "c": 4} == dict(third)


def test_a_branch_is_asked_as_any_mapping_is() -> None:
    """By key, with what stands for nothing, in the order in which entries came, and by their number."""
    _, copied = branch({"a": 1, "b": 2})
    copied["c"] = 3
    copied["a"] = 4

    assert [4, 2, 3, None, 0] == [
        copied.get("a"),
        copied.get("b"),
        copied.get("c"),
        copied.get("d"),
        copied.get("d", 0),
    ]
    assert [("a", 4), ("b", 2), ("c", 3)] == list(copied.items())
    assert 3 == len(copied)
