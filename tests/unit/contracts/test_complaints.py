"""
What is wrong with a request, in words that name the place and what was expected.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rooftree.contracts.complaints import first_complaint
from rooftree.contracts.questions import SuppositionBody


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"policy": "p-one", "target": "r-ab12"}, "steps[0].kind: is missing"),
        ({"kind": "remove"}, "steps[0].kind: expected one of attach, detach, update, move, found `remove`"),
        ({"kind": "attach", "target": "r-ab12"}, "steps[0].attach.policy: is missing"),
        ("attach", "steps[0]: expected an object"),
    ],
)
def test_a_step_that_is_none_is_told_by_its_place(step: object, told: str) -> None:
    """
    Which kinds there are is said to whoever names another one.
    """
    with pytest.raises(ValidationError) as refusal:
        SuppositionBody.model_validate({"steps": [step]})

    assert told == str(first_complaint(refusal.value))
