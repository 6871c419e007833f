from __future__ import annotations

from rooftree.policy.builtin import BUILTIN_CONTENT, BUILTIN_KINDS, BUILTIN_NAMES, FULL_AWS_ACCESS, RCP_FULL_AWS_ACCESS
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import statement_matches
from rooftree.policy.request import Request


def test_the_tables_of_built_in_policies_speak_of_the_same_ones() -> None:
    """
    Each built-in policy has content, a kind and a name.
    """
    assert set(BUILTIN_CONTENT) == set(BUILTIN_KINDS) == set(BUILTIN_NAMES)


def test_built_in_policies_read_as_their_own_kind() -> None:
    """
    The content gives the document that stands beside it.
    """
    documents = [parse_policy(content, BUILTIN_KINDS[policy_id]) for policy_id, content in BUILTIN_CONTENT.items()]

    assert [FULL_AWS_ACCESS, RCP_FULL_AWS_ACCESS] == documents


def test_full_access_speaks_of_every_request() -> None:
    """
    The one statement matches whatever is asked.
    """
    (statement,) = FULL_AWS_ACCESS.statements

    assert statement_matches(statement, Request("s3:GetObject", "arn:aws:s3:::b/k"), variables=True)
    assert statement_matches(statement, Request("ec2:DescribeInstances"), variables=True)
