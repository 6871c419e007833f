"""
What the actions of an account depend on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from rooftree.api.pages.layers import Layers, layers_of

REGION = {"operator": "StringNotEquals", "key": "aws:RequestedRegion", "values": ["eu-west-1"]}
PRINCIPAL = {"operator": "ArnLike", "key": "aws:PrincipalArn", "values": ["arn:aws:iam::*:root"]}
TAG = {"operator": "Null", "key": "aws:RequestTag/CostCenter", "values": ["true"]}


def group(*cases: Sequence[Mapping[str, object]], count: int = 3, resources: str = "*") -> dict[str, object]:
    """
    Return a group of actions that are denied in some cases.
    """
    return {
        "actions": {"any_of": ["s3:*"], "none_of": []},
        "known_actions": {"count": count},
        "complete": True,
        "denied_if": [
            {"resources": {"any_of": [resources], "none_of": []}, "conditions": list(lines)} for lines in cases
        ],
    }


def counts(layers: Layers) -> dict[str, int]:
    """
    Return how many actions are in each layer that has any.
    """
    return {part.name: part.count for part in layers.parts if part.count}


@pytest.mark.parametrize(
    ("entry", "layer"),
    [
        (group([PRINCIPAL]), "principal"),
        (group([REGION]), "region"),
        (group([REGION, PRINCIPAL]), "region"),
        (group([PRINCIPAL], [REGION]), "region"),
        (group([TAG]), "request"),
        (group([REGION, TAG]), "request"),
        (group([PRINCIPAL], resources="arn:aws:s3:::logs/*"), "request"),
    ],
    ids=["who", "where", "where for whom", "whoever and where", "a tag", "where and a tag", "a resource"],
)
def test_actions_are_in_the_strictest_layer_of_their_conditions(entry: Mapping[str, object], layer: str) -> None:
    """
    What asks for more than the principal and the region asks for the request itself.
    """
    assert {layer: 3} == counts(layers_of({"allowed": None, "denied": None, "conditional": [entry]}))


def test_the_layers_are_all_known_actions() -> None:
    """
    Allowed ones, denied ones and those in between are counted once each.
    """
    summary = {
        "allowed": {"known_actions": {"count": 5}},
        "denied": {"known_actions": {"count": 2}},
        "conditional": [group([REGION], count=7), group([REGION], count=4)],
    }
    layers = layers_of(summary)

    assert {"allowed": 5, "region": 11, "denied": 2} == counts(layers)
    assert 18 == layers.total
    assert "5 allowed, 11 depend on the region, 2 denied" == layers.words


def test_the_example_of_a_layer_is_the_case_that_makes_it_one() -> None:
    """
    That the root user is denied as well says nothing about the region.
    """
    layers = layers_of({"conditional": [group([PRINCIPAL], [REGION])]})

    assert {"region": "Denied when aws:RequestedRegion is not eu-west-1"} == {
        part.name: part.example for part in layers.parts if part.example
    }


def test_policies_too_tangled_to_be_told_have_no_layers() -> None:
    """
    Nothing is counted rather than guessed.
    """
    assert "too tangled to be counted" == layers_of({"allowed": None, "denied": None, "conditional": []}).words
