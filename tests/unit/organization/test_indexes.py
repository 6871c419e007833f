from __future__ import annotations

from rooftree.organization.indexes import Index


def test_a_copy_and_what_it_was_made_of_change_apart() -> None:
    """Whichever of the two is changed, and also where a third was made in between."""
    first: Index[str] = Index()
    first.add("shared", "a")
    second = first.copy()
    second.add("shared", "b")
    third = second.copy()
    first.add("shared", "c")
    second.discard("shared", "a")
    third.add("fresh", "d")

    assert [{"a", "c"}, {"b"}, {"a", "b"}] == [index.of("shared") for index in (first, second, third)]
    assert [set(), set(), {"d"}] == [index.of("fresh") for index in (first, second, third)]
