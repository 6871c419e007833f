"""
Policy texts of an organization and the documents that they hold, each parsed once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rooftree.errors import PolicyError
from rooftree.organization.identifiers import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from rooftree.policy.builtin import BUILTIN_CONTENT, BUILTIN_KINDS, BUILTIN_NAMES
from rooftree.policy.document import PolicyContent, PolicyKind, canonical_text, parse_policy
from rooftree.policy.kinds import SIZE_QUOTAS
from rooftree.policy.model import PolicyDocument

__all__ = [
    "AUTHORIZING_TYPES",
    "BUILTIN_POLICIES",
    "LENIENCE",
    "Document",
    "Policy",
    "accept_content",
    "accept_document",
    "read_document",
    "read_stored",
]

# The policy types that take part in authorization; others of AWS Organizations configure services.
AUTHORIZING_TYPES = {
    SERVICE_CONTROL_POLICY: PolicyKind.SERVICE_CONTROL,
    RESOURCE_CONTROL_POLICY: PolicyKind.RESOURCE_CONTROL,
}

# By how much a policy may be longer here: AWS has raised its quota for service control policies from 5,120 before, and
# canonical text may be longer than what was given.
LENIENCE = 6

# As JSON writes the character: behind a backslash that no other one escapes.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Document:
    """
    A policy as text and as what the text means.
    """

    text: str
    policy: PolicyDocument

    @property
    def digest(self) -> str:
        """
        The digest of the policy.
        """
        return self.policy.digest


@dataclass(frozen=True, slots=True)
class Policy:
    """
    A policy that exists.

    Attributes:
        type: Its policy type; empty while that is not known.
        document: What it says; None while that is not known, and for a type that does not authorize.
    """

    policy_id: str
    name: str
    type: str
    document: Document | None


# AWS allows an organization 10,000 service control policies; all of them fit.
@lru_cache(maxsize=16_384)
def read_document(text: str, kind: PolicyKind) -> Document | None:
    """
    Return the document in a canonical text; None where the text is no policy of that kind.

    Texts are checked where they come in. One that does not fit its policy's type was told before the type was.
    """
    try:
        return Document(text, parse_policy(text, kind))
    except PolicyError:
        return None


def read_stored(text: str) -> Document | None:
    """
    Return the document in a canonical text of either type; a principal, which one must name and the other may not,
    tells which it is. None where the text is neither.
    """
    return read_document(text, PolicyKind.SERVICE_CONTROL) or read_document(text, PolicyKind.RESOURCE_CONTROL)


def accept_content(content: PolicyContent, kind: PolicyKind) -> str:
    """
    Return the canonical text of a policy that comes in.

    Raises:
        PolicyError: The content is no policy of that kind, which the error names the place of, or it holds a NUL.
    """
    text = _storable_text(content)
    most = LENIENCE * SIZE_QUOTAS.get(kind, len(text))
    if len(text) > most:
        raise PolicyError(f"expected at most {most} characters, found {len(text)}")
    parse_policy(content, kind)
    # Canonical text may be longer than what was given. INVARIANT: what is let in can be read again.
    if read_document(text, kind) is None:
        raise PolicyError("the document is too large")
    return text


def accept_document(content: PolicyContent, kind: PolicyKind) -> tuple[str, str]:
    """
    Return the digest and the canonical text of a policy that comes in, without keeping what it means.

    Raises:
        PolicyError: The content is no policy of that kind, which the error names the place of, or it holds a NUL.
    """
    text = _storable_text(content)
    try:
        return _digest_of(text, kind), text
    except PolicyError:
        # Of what was given, the place is that in what was given.
        parse_policy(content, kind)
        raise


def _storable_text(content: PolicyContent) -> str:
    text = canonical_text(content)
    # PostgreSQL holds every character but this one, and what is worked out from a policy may quote it.
    if _NUL.search(text):
        raise PolicyError("expected no NUL character")
    return text


# Policies of AWS and trust policies come again with each account.
@lru_cache(maxsize=4096)
def _digest_of(text: str, kind: PolicyKind) -> str:
    return parse_policy(text, kind).digest


def _builtin(policy_id: str, content: Mapping[str, object]) -> Policy:
    kind = BUILTIN_KINDS[policy_id]
    policy_type = next(name for name, of_type in AUTHORIZING_TYPES.items() if of_type is kind)
    return Policy(policy_id, BUILTIN_NAMES[policy_id], policy_type, read_document(canonical_text(content), kind))


# What AWS attaches by itself. It lists them among no organization's policies and lets nobody change them.
BUILTIN_POLICIES = {policy_id: _builtin(policy_id, content) for policy_id, content in BUILTIN_CONTENT.items()}
