"""
The dimension of actions.
"""

from __future__ import annotations

from rooftree.permissions.actions import ActionDimension, action_dimension
from rooftree.permissions.catalog import catalog
from rooftree.permissions.glob import ANY_STRING, Atom, glob_atom
from rooftree.policy.variables import Piece


def _atom(text: str) -> Atom:
    return glob_atom([Piece(text)], text, lower=True)


def _values(made: ActionDimension, atom: Atom) -> set[str | None]:
    around = made.dimension.around([atom])
    return {point.value for number, point in enumerate(made.dimension.points) if around >> number & 1}


class TestActionDimension:
    def test_names_and_beginnings_give_a_class_each(self) -> None:
        """
        Of nested patterns each has a class of what lies in it and in no narrower one.
        """
        atoms = [_atom(text) for text in ("s3:*", "s3:Get*", "s3:GetObject")]
        made = action_dimension(atoms)

        assert {"s3:getobject"} == _values(made, atoms[2])
        assert {"s3:get", "s3:getobject"} == _values(made, atoms[1])
        assert 3 == len(_values(made, atoms[0]))

    def test_every_class_has_a_member_that_its_patterns_match(self) -> None:
        """
        The value of a class is matched by just the patterns around it, also where patterns leave the service open.
        """
        atoms = [_atom(text) for text in ("s3:*", "s3:Get*", "*:Tag*", "s?s:*", "ec2:*Instances", "ec2:Run*")]
        made = action_dimension(atoms)

        for atom in atoms:
            matched = {point.value for point in made.dimension.points if atom.matches(str(point.value))}
            assert matched == _values(made, atom)

    def test_known_actions_are_parted_without_rest(self) -> None:
        """
        Each known action lies in one class.
        """
        made = action_dimension([_atom(text) for text in ("s3:Get*", "*:Tag*", "iam:CreateUser")])

        together = 0
        for actions in made.known:
            assert not together & actions
            together |= actions
        assert catalog().all == together

    def test_what_is_not_looked_at_is_one_point(self) -> None:
        """
        Within some services, all other actions are one class that patterns of other services do not match.
        """
        made = action_dimension([_atom("s3:Get*"), _atom("ec2:*"), ANY_STRING], within={"s3"})

        assert 1 == made.dimension.beyond.bit_count()
        assert 0 == made.dimension.around([_atom("ec2:*")])
        assert made.dimension.beyond & made.dimension.around([ANY_STRING])
