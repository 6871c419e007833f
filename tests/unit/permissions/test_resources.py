"""
The classes of resources.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rooftree.permissions.glob import Atom, glob_atom
from rooftree.permissions.language import RESOURCE_STARTS, RESOURCES, classes_of
from rooftree.permissions.resources import resource_classes
from rooftree.policy.variables import Piece

PATTERNS = ["*", "arn:aws:s3:::*", "arn:aws:s3:::a*", "arn:aws:s3:::a*/x", "arn:aws:iam::*:role/A*", "*x*", "foo"]
PATTERNS += ["arn:aws:iam::1*:role/*", "arn:*:s3:::b*", "arn:aws:*", "arn:aws-cn:s3:::a*", "arn:?ws:iam::*:root"]


def _union(patterns: list[str]) -> Atom:
    globs = (glob_atom([Piece(pattern)], pattern).globs for pattern in patterns)
    return Atom(frozenset().union(*globs), ", ".join(patterns))


@given(st.lists(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3, unique=True).map(_union), max_size=5))
def test_service_by_service_the_same_classes_are_found(atoms: list[Atom]) -> None:
    """
    They are those of one walk over all patterns, each with a resource that just its patterns match.
    """
    found = resource_classes(atoms)

    assert {one.signature for one in classes_of(RESOURCES, RESOURCE_STARTS, atoms)} == {one.signature for one in found}
    for one in found:
        assert one.signature == sum(atom.matches(one.witness) << bit for bit, atom in enumerate(atoms))
