"""
What lint looks for in the effect, the actions and the resources of a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rooftree.policy.findings import Finding, Rule
from rooftree.policy.kinds import PolicyKind
from rooftree.policy.model import Effect, Statement
from rooftree.policy.patterns import ARN_FIELDS, complete_arn
from rooftree.policy.variables import Variable, parse_template, placeholders, without_variables
from rooftree.policy.wording import item_place, quote

__all__ = ["Subject", "lint_statement"]

_ACTION: Final = re.compile(r"\*+\Z|[\w*?-]+:[\w*?-]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subject:
    """
    A statement under inspection.

    Attributes:
        raw: Its JSON, which `parse_statement` has found in order.
        variables: Whether ``${...}`` stands for a variable in its document.
    """

    place: str
    statement: Statement
    raw: Mapping[str, Any]
    kind: PolicyKind
    variables: bool

    def texts(self, *names: str) -> Iterator[tuple[str, str]]:
        """
        Yield the texts of some elements, each with its place.
        """
        for name in names:
            found = self.raw.get(name, [])
            for index, text in enumerate(found if isinstance(found, list) else [found]):
                yield item_place(f"{self.place}.{name}", index, found), text


def lint_statement(subject: Subject) -> Iterator[Finding]:
    """
    Yield what is found in a statement, but for its conditions.
    """
    yield from _lint_effect(subject)
    for place, text in subject.texts("Action", "NotAction"):
        if not _ACTION.match(text):
            yield Rule.NO_ACTION.at(place, f"expected `*` or `service:Name`, found {quote(text)}")
    for place, text in subject.texts("Resource", "NotResource"):
        yield from _lint_resource(subject, place, text)
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        if subject.raw.get(name) == []:
            yield Rule.EMPTY_LIST.at(f"{subject.place}.{name}", f"an empty `{name}` names nothing")


def _lint_effect(subject: Subject) -> Iterator[Finding]:
    statement = subject.statement
    everywhere = statement.not_resources is None and (statement.resources is None or "*" in statement.resources)
    if statement.effect is Effect.DENY:
        if everywhere and "*" in (statement.actions or ()) and not statement.conditions:
            yield Rule.DENY_EVERYTHING.at(subject.place, "denies every request, without a condition")
        return
    if statement.not_actions is not None:
        message = "allows all actions but these, those of services to come included"
        yield Rule.ALLOW_NOT_ACTION.at(f"{subject.place}.NotAction", message)
    if subject.kind is PolicyKind.SERVICE_CONTROL and (statement.conditions or not everywhere):
        # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
        message = "what this leaves out, any other Allow at the same level lets through; only a Deny holds against all"
        yield Rule.LEAKING_ALLOW.at(subject.place, message)


def _lint_resource(subject: Subject, place: str, text: str) -> Iterator[Finding]:
    """
    Look for what AWS reads otherwise than it is written.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    completed = complete_arn(text, variables=subject.variables)
    if text.strip("*") and not text.startswith("arn:"):
        yield Rule.NO_ARN.at(place, f"expected `*` or an ARN, found {quote(text)}, read as {quote(completed)}")
    elif completed != text:
        yield Rule.NO_ARN.at(place, f"{quote(text)} lacks fields, read as {quote(completed)}")
    if not subject.variables and without_variables(text) != text:
        yield Rule.IDLE_VARIABLE.at(place, "`${...}` is plain text in the language of 2008")
    elif subject.variables and _has_early_variable(text):
        yield Rule.IDLE_VARIABLE.at(place, "AWS fills in variables behind the fifth colon of an ARN only")
    for name in placeholders(text) if subject.variables else ():
        yield Rule.UNKNOWN_VARIABLE.at(place, f"no request has a key `{name}`, so this matches no resource")


def _has_early_variable(text: str) -> bool:
    colons = 0
    for part in parse_template(text, variables=True):
        if isinstance(part, Variable):
            return colons < ARN_FIELDS - 1
        colons += part.text.count(":")
    return False
