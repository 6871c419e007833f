"""
From what AWS, a file or an event holds to a policy document.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from rooftree.errors import InputError, PolicyError
from rooftree.policy.kinds import ElementRules, Need, PolicyKind, rules_of
from rooftree.policy.model import CURRENT_VERSION, PolicyDocument
from rooftree.policy.statements import parse_statement, refuse_unknown
from rooftree.policy.strict_json import check_json, load_json
from rooftree.policy.wording import item_place, quote

__all__ = [
    "MAX_BYTES",
    "MAX_STATEMENTS",
    "OLD_VERSION",
    "PolicyContent",
    "PolicyKind",
    "canonical_text",
    "parse_header",
    "parse_policy",
    "plain_text",
    "read_content",
    "statement_contents",
]

PolicyContent = str | bytes | Mapping[str, object]

MAX_BYTES: Final = 65_536
"""Six times what AWS takes; URL-encoded text may be three times as long."""

MAX_STATEMENTS: Final = 2_000
"""Far more than fit into any document that AWS takes."""

MAX_DEPTH: Final = 20
"""The language itself needs six levels."""

OLD_VERSION: Final = "2008-10-17"
_TOP_ELEMENTS: Final = ("Version", "Id", "Statement")
_LISTABLE: Final = ("Action", "NotAction", "Resource", "NotResource")


def parse_policy(content: PolicyContent, kind: PolicyKind = PolicyKind.SERVICE_CONTROL) -> PolicyDocument:
    """
    Read a policy: an object, its JSON text, or that text URL-encoded, as IAM returns it.

    A missing Version is read as the language of 2008, in which ``${...}`` is plain text.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html

    Raises:
        PolicyError: The content is no policy of this kind. The place says where, for example ``Statement[2].Effect``.
    """
    top = read_content(content)
    rules = rules_of(kind)
    version, identifier = parse_header(top, rules)
    statements = []
    for index, (place, statement) in enumerate(statement_contents(top)):
        try:
            statements.append(parse_statement(statement, index, rules))
        except PolicyError as error:
            raise error.within(place) from None
    digest = hashlib.sha256(_canonical(top).encode()).hexdigest()
    return PolicyDocument(version=version, statements=tuple(statements), digest=digest, id=identifier)


def canonical_text(content: PolicyContent) -> str:
    """
    Return the JSON text that stands for all that differ in white space, order of keys and one-element lists alone.

    It reads as the same document as *content*, and the digest of a document is the SHA-256 of it.

    Raises:
        PolicyError: The content is no JSON object.
    """
    return _canonical(read_content(content))


def read_content(content: PolicyContent) -> dict[str, object]:
    """
    Return the JSON object of a policy, whichever way it is wrapped.

    Raises:
        PolicyError: It is too large, nests too deep or is no JSON object.
    """
    try:
        if isinstance(content, Mapping):
            top: object = dict(content)
            check_json(top, max_depth=MAX_DEPTH)
        else:
            top = load_json(plain_text(content), max_depth=MAX_DEPTH)
    except InputError as error:
        raise PolicyError(error.reason, place=error.place) from error
    if not isinstance(top, dict):
        raise PolicyError(f"expected a policy as an object, found {quote(top)}")
    return top


def parse_header(top: Mapping[str, object], rules: ElementRules) -> tuple[str, str | None]:
    """
    Return Version and Id of a policy.

    Raises:
        PolicyError: One of them is wrong, or stands beside what is no element of a policy.
    """
    refuse_unknown(top, _TOP_ELEMENTS)
    version, identifier = top.get("Version", OLD_VERSION), top.get("Id")
    if version not in (CURRENT_VERSION, OLD_VERSION):
        raise PolicyError(f"expected `{CURRENT_VERSION}` or `{OLD_VERSION}`, found {quote(version)}", place="Version")
    if "Id" in top and rules.id is Need.REFUSED:
        raise PolicyError(f"{rules.title} has no `Id`", place="Id")
    if "Id" in top and not isinstance(identifier, str):
        raise PolicyError(f"expected text, found {quote(identifier)}", place="Id")
    return str(version), identifier if isinstance(identifier, str) else None


def statement_contents(top: Mapping[str, object]) -> list[tuple[str, object]]:
    """
    Return each statement of a policy with its place, whether it stands alone or in a list.

    Raises:
        PolicyError: There is no Statement, or too many.
    """
    if "Statement" not in top:
        raise PolicyError("expected `Statement`")
    found = top["Statement"]
    if not isinstance(found, list):
        return [("Statement", found)]
    if len(found) > MAX_STATEMENTS:
        raise PolicyError(f"expected at most {MAX_STATEMENTS} statements, found {len(found)}", place="Statement")
    return [(item_place("Statement", index, found), statement) for index, statement in enumerate(found)]


def plain_text(content: str | bytes) -> str | bytes:
    """
    Return JSON text, decoded if it is URL-encoded: such text starts with the code of its first brace.

    Raises:
        PolicyError: It is too large, or no text behind the encoding.
    """
    if len(content) > 3 * MAX_BYTES:
        raise PolicyError(f"expected at most {MAX_BYTES} bytes, found {len(content)}")
    encoded = content[:256].lstrip()[:1] in ("%", b"%")
    if encoded:
        text = content.decode("ascii", "replace") if isinstance(content, bytes) else content
        try:
            content = unquote(text, errors="strict")
        except UnicodeDecodeError as error:
            raise PolicyError("no UTF-8 text behind the URL encoding") from error
    size = len(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise PolicyError(f"expected at most {MAX_BYTES} bytes, found {size}")
    return content


def _canonical(top: Mapping[str, object]) -> str:
    listed = {name: _canonical_statements(value) if name == "Statement" else value for name, value in top.items()}
    return json.dumps(listed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _canonical_statements(found: object) -> list[object]:
    return [_canonical_statement(one) if isinstance(one, dict) else one for one in _as_list(found)]


def _canonical_statement(statement: dict[str, object]) -> dict[str, object]:
    return {name: _canonical_element(name, value) for name, value in statement.items()}


def _canonical_element(name: str, value: object) -> object:
    """
    Write lists wherever one value may stand for a list of one.
    """
    if name in _LISTABLE:
        return _as_list(value)
    if name in ("Principal", "NotPrincipal") and isinstance(value, dict):
        return {kind: _as_list(values) for kind, values in value.items()}
    if name == "Condition" and isinstance(value, dict):
        return {
            operator: {key: _as_list(values) for key, values in keys.items()} if isinstance(keys, dict) else keys
            for operator, keys in value.items()
        }
    return value


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
