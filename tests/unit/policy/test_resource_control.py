from __future__ import annotations

import re

import pytest

from rooftree.policy.resource_control import COVERED_AS_OF, COVERED_SERVICES, is_covered


def test_the_list_is_one_of_service_prefixes_with_its_date() -> None:
    """
    Data that can be compared with the documentation.
    """
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", COVERED_AS_OF)
    assert 62 == len(COVERED_SERVICES)
    assert all(re.fullmatch(r"[a-z0-9-]+", service) for service in COVERED_SERVICES)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:getobject", True),
        ("sts:assumerole", True),
        ("kms:decrypt", True),
        ("kms:retiregrant", False),
        ("opensearch:x", True),
        ("es:eshttpget", True),
        ("s3express:createsession", False),
        ("lambda:invokefunction", False),
        ("sns:publish", False),
        ("iam:createuser", False),
        ("ec2:runinstances", False),
    ],
)
def test_actions_are_covered_by_their_service(action: str, *, expected: bool) -> None:
    """
    Apart from one exception, and one service that the list calls by another name.
    """
    assert expected is is_covered(action)
