from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.generators.telling import deny

from rooftree.errors import PolicyError
from rooftree.organization.documents import BUILTIN_POLICIES, accept_content, accept_document, read_document
from rooftree.policy.builtin import FULL_AWS_ACCESS
from rooftree.policy.document import PolicyKind


def test_an_accepted_policy_reads_back_as_the_same() -> None:
    """Texts that mean the same become one text, whose digest is that of the policy."""
    policy = deny("s3:*")
    text = accept_content(json.dumps(policy, indent=4), PolicyKind.SERVICE_CONTROL)
    assert text == accept_content(policy, PolicyKind.SERVICE_CONTROL)
    document = read_document(text, PolicyKind.SERVICE_CONTROL)
    assert document is not None
    assert (text, document.policy.digest) == (document.text, document.digest)


def test_a_policy_that_its_canonical_text_makes_too_large_is_refused() -> None:
    """Whatever is let in can be read again after a restart."""
    statements = [{"Effect": "Deny", "Action": "*", "Resource": "*"} for _ in range(1400)]
    text = json.dumps({"Statement": statements}, separators=(",", ":"))
    with pytest.raises(PolicyError) as caught:
        accept_content(text, PolicyKind.SERVICE_CONTROL)
    assert "expected at most 61440 characters, found 70015" == str(caught.value)


@pytest.mark.parametrize("accept", [accept_content, accept_document])
def test_a_policy_that_the_store_cannot_hold_is_refused(accept: Callable[[str, PolicyKind], object]) -> None:
    """PostgreSQL holds every character but NUL; behind a second backslash the number of NUL is plain text."""
    text = '{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::a%su0000"}}'
    accept(text % r"\\", PolicyKind.SERVICE_CONTROL)
    for backslashes in ("\\", "\\" * 3):
        with pytest.raises(PolicyError, match="expected no NUL character"):
            accept(text % backslashes, PolicyKind.SERVICE_CONTROL)


def test_text_of_another_kind_is_no_document() -> None:
    """A resource control policy has principals, which service control policies cannot."""
    text = '{"Statement":[{"Action":["s3:*"],"Effect":"Deny","Principal":"*","Resource":["*"]}]}'
    assert None is read_document(text, PolicyKind.SERVICE_CONTROL)
    assert None is not read_document(text, PolicyKind.RESOURCE_CONTROL)


def test_full_access_is_known_without_being_told() -> None:
    """It is the policy that AWS attaches by itself."""
    document = BUILTIN_POLICIES["p-FullAWSAccess"].document
    assert document is not None
    assert FULL_AWS_ACCESS == document.policy
