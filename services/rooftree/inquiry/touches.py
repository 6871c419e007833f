"""
Users and roles that lose or gain something, told once where many accounts have the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from rooftree.inquiry import wording

__all__ = ["AccountImpact", "TouchedGroup", "distinct_touches", "touch_lines"]

AccountImpact: TypeAlias = tuple[str, Mapping[str, Any]]
"""An account, and what becomes of its users and roles as an audit event tells it."""

NAMED: Final = 6
"""Users and roles of one group that are named."""

SHOWN: Final = 10
"""Groups in words: an account whose roles each have policies of their own has one for each."""


@dataclass(slots=True)
class TouchedGroup:
    """
    Users and roles that lose or gain by the same requests.

    Attributes:
        changes: A request for each direction, as the first account has it.
        arns: All of them, in all accounts.
    """

    verdict: str
    changes: Sequence[Mapping[str, Any]]
    arns: list[str] = field(default_factory=list)

    @property
    def requests(self) -> list[str]:
        """
        The requests in words, each with its direction.
        """
        return [f"{wording.direction_words(change)}: {wording.witness_words(change)}" for change in self.changes]

    @property
    def names(self) -> list[str]:
        """
        Who they are: of one account by the ARN, of several by what stands behind the account.
        """
        counts = Counter(_name(arn) for arn in self.arns)
        arns = {_name(arn): arn for arn in self.arns}
        return [arns[name] if count == 1 else f"{name} in {count} accounts" for name, count in counts.most_common()]

    @property
    def words(self) -> str:
        """
        Who they are in one line, the rest by their number.
        """
        names = self.names
        rest = len(names) - NAMED
        return ", ".join([*names[:NAMED], *([f"{rest} more"] if rest > 0 else [])])


def distinct_touches(impacts: Iterable[AccountImpact]) -> list[TouchedGroup]:
    """
    Return each group of users and roles that the same happens to once, the largest first.
    """
    found: dict[str, TouchedGroup] = {}
    for account_id, impact in impacts:
        for told in impact.get("touched") or ():
            identity = json.dumps([told["verdict"], told["changes"]], sort_keys=True).replace(account_id, "{account}")
            found.setdefault(identity, TouchedGroup(told["verdict"], told["changes"])).arns.extend(told["arns"])
    return sorted(found.values(), key=lambda group: -len(group.arns))


def touch_lines(groups: Sequence[TouchedGroup]) -> Iterator[str]:
    """
    Yield who loses or gains, with a request for each group.
    """
    for group in groups[:SHOWN]:
        yield f"{group.words}: {wording.verdict_words(group.verdict)}"
        for request in group.requests:
            yield f"  {request}"
    rest = sum(len(group.arns) for group in groups[SHOWN:])
    if rest:
        yield f"{rest} more, by other requests; `--json` tells all of them"


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
