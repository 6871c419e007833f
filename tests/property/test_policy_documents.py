from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from tests.property.policy_strategies import contents

from rooftree.errors import PolicyError
from rooftree.policy.document import PolicyKind, canonical_text, parse_policy
from rooftree.policy.lint import lint_policy

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["Statement", "Effect", "Action", "NotAction", "Resource", "Condition", "Principal", "Sid", "Id", "Version"]
NEARLY = st.recursive(
    st.sampled_from(["Allow", "Deny", "*", "s3:*", "2012-10-17", "StringEquals", None, 1, True, ""]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*NAMES, "Bool", "AWS"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def rewritten(draw: st.DrawFn, value: Any, *, listable: bool = False) -> Any:
    """
    Draw another way to write the same: other order of keys, lists of one where one value stands, and the reverse.
    """
    if isinstance(value, dict):
        names = draw(st.permutations(list(value)))
        lists = {
            name: name not in ("Version", "Id", "Effect", "Sid") and not isinstance(value[name], dict) for name in names
        }
        return {name: draw(rewritten(value[name], listable=lists[name] or name == "Statement")) for name in names}
    if isinstance(value, list):
        items = [draw(rewritten(item)) for item in value]
        return items[0] if len(items) == 1 and draw(st.booleans()) else items
    return [value] if listable and draw(st.booleans()) else value


@given(st.data(), contents())
def test_a_policy_written_differently_is_the_same_document(data: st.DataObject, content: dict[str, object]) -> None:
    """
    Order of keys, lists of one, white space and wrapping change neither statements nor digest.
    """
    other = data.draw(rewritten(content))
    text = json.dumps(other, indent=data.draw(st.sampled_from([None, 0, 2])), ensure_ascii=data.draw(st.booleans()))
    wrapped = data.draw(st.sampled_from([text, text.encode(), f"\n {text}\t", quote(text, safe="")]))

    assert parse_policy(content) == parse_policy(other) == parse_policy(wrapped)


@given(contents())
def test_the_canonical_text_reads_as_the_document_that_it_stands_for(content: dict[str, object]) -> None:
    """
    Storing it in place of the original loses nothing that decides.
    """
    text = canonical_text(content)

    assert parse_policy(content) == parse_policy(text)
    assert text == canonical_text(text)


@given(contents(), contents())
def test_documents_of_one_digest_are_equal(one: dict[str, object], other: dict[str, object]) -> None:
    """
    The digest stands for the whole document.
    """
    first, second = parse_policy(one), parse_policy(other)

    assert (first == second) is (first.digest == second.digest)


@given(JSON | NEARLY | st.text(max_size=30) | st.binary(max_size=30), st.sampled_from(PolicyKind))
def test_whatever_is_given_is_read_or_refused(content: Any, kind: PolicyKind) -> None:
    """
    No input raises anything but the error made for it, on one line.
    """
    given_content = content if isinstance(content, str | bytes | dict) else {"Statement": content}
    try:
        outcome = parse_policy(given_content, kind).digest
    except PolicyError as error:
        outcome = str(error)

    assert outcome.isprintable()


@given(NEARLY)
def test_text_and_object_are_refused_alike(content: Any) -> None:
    """
    An object gets no further than its text, and no less far.
    """

    def outcome(given_content: str | dict[str, object]) -> str:
        try:
            return parse_policy(given_content).digest
        except PolicyError as error:
            return str(error)

    top = {"Statement": content}
    assert outcome(top) == outcome(json.dumps(top))


@given(JSON | NEARLY | contents() | st.text(max_size=30), st.sampled_from(PolicyKind))
def test_lint_finds_an_unreadable_policy_exactly_where_reading_refuses_it(content: Any, kind: PolicyKind) -> None:
    """
    Lint reports on every input, and what it passes as readable can be read.
    """
    given_content = content if isinstance(content, str | dict) else {"Statement": content}
    unreadable = [(one.place, one.message) for one in lint_policy(given_content, kind) if one.code == "RT101"]
    refused = []
    try:
        parse_policy(given_content, kind)
    except PolicyError as error:
        refused.append((error.place, error.reason))

    assert refused == unreadable[:1]
