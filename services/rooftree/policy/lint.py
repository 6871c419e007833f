"""
Errors and risks of a policy, found before it is attached.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from rooftree.errors import InputError, PolicyError
from rooftree.policy.document import (
    OLD_VERSION,
    PolicyContent,
    parse_header,
    plain_text,
    read_content,
    statement_contents,
)
from rooftree.policy.findings import Finding, Rule
from rooftree.policy.kinds import SIZE_QUOTAS, PolicyKind, rules_of
from rooftree.policy.lint_conditions import lint_conditions
from rooftree.policy.lint_statements import Subject, lint_statement
from rooftree.policy.model import CURRENT_VERSION, Statement
from rooftree.policy.statements import parse_statement
from rooftree.policy.wording import in_place, quote

__all__ = ["Finding", "lint_policy"]

_FOREIGN: Final = re.compile("[^\t\n\r\u0020-\u00ff]")


def lint_policy(content: PolicyContent, kind: PolicyKind = PolicyKind.SERVICE_CONTROL) -> list[Finding]:
    """
    Return everything found in a policy; one broken statement does not hide what is wrong with the others.

    Whether an action exists is not looked at: the set of actions is open.
    """
    try:
        top = read_content(content)
    except PolicyError as error:
        return [_unreadable(error)]
    found = [*_lint_size(content, top, kind), *_lint_header(top, kind), *_lint_characters(top, "")]
    try:
        contents = statement_contents(top)
    except PolicyError as error:
        return [*found, _unreadable(error)]
    subjects = []
    for index, (place, raw) in enumerate(contents):
        try:
            statement = parse_statement(raw, index, rules_of(kind))
        except PolicyError as error:
            found.append(_unreadable(error.within(place)))
            continue
        assert isinstance(raw, dict)  # else it would have been refused
        subject = Subject(place, statement, raw, kind, variables=top.get("Version") == CURRENT_VERSION)
        found += [*lint_statement(subject), *lint_conditions(subject)]
        subjects.append(subject)
    return [*found, *_lint_together(subjects)]


def _unreadable(error: InputError) -> Finding:
    return Rule.UNREADABLE.at(error.place, error.reason)


def _lint_size(content: PolicyContent, top: Mapping[str, object], kind: PolicyKind) -> Iterator[Finding]:
    """
    Compare the length with the quota; without its white space, a policy has the least that it can be saved with.
    """
    quota = SIZE_QUOTAS.get(kind)
    if quota is None:
        return
    least = len(json.dumps(top, separators=(",", ":"), ensure_ascii=False))
    if least > quota:
        yield Rule.TOO_LONG.at("", f"{least} characters without white space, AWS takes {quota} with it")
    elif not isinstance(content, Mapping):
        text = plain_text(content)
        length = len(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
        if length > quota:
            message = f"{length} characters, {least} without white space, AWS takes {quota} with it"
            yield Rule.TOO_LONG_WITH_SPACE.at("", message)


def _lint_header(top: Mapping[str, object], kind: PolicyKind) -> Iterator[Finding]:
    try:
        version, _identifier = parse_header(top, rules_of(kind))
    except PolicyError as error:
        yield _unreadable(error)
        return
    if version == OLD_VERSION:
        place = "Version" if "Version" in top else ""
        yield Rule.OLD_LANGUAGE.at(place, f"without `Version` `{CURRENT_VERSION}` there are no policy variables")


def _lint_characters(value: object, place: str) -> Iterator[Finding]:
    """
    Look for what lies outside of tab, line ends and U+0020 to U+00FF.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    match value:
        case str() if found := _FOREIGN.search(value):
            yield Rule.FOREIGN_CHARACTER.at(place, f"policies may not hold the character {quote(found[0])}")
        case list():
            for index, item in enumerate(value):
                yield from _lint_characters(item, f"{place}[{index}]")
        case dict():
            for key, item in value.items():
                inner = f"{place}.{in_place(key)}" if place else in_place(key)
                if found := _FOREIGN.search(key):
                    yield Rule.FOREIGN_CHARACTER.at(inner, f"policies may not hold the character {quote(found[0])}")
                yield from _lint_characters(item, inner)


def _lint_together(subjects: list[Subject]) -> Iterator[Finding]:
    """
    Compare statements with one another.
    """
    sids: dict[str, str] = {}
    seen: dict[Statement, str] = {}
    for subject in subjects:
        sid = subject.statement.sid
        if sid:
            if sid in sids:
                yield Rule.SID_TWICE.at(f"{subject.place}.Sid", f"{quote(sid)} is the Sid of {sids[sid]} already")
            sids.setdefault(sid, subject.place)
        plain = replace(subject.statement, index=0, sid=None)
        if plain in seen:
            yield Rule.STATEMENT_TWICE.at(subject.place, f"says the same as {seen[plain]}")
        seen.setdefault(plain, subject.place)
