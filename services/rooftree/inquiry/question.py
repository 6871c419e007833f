"""
One request of an account's principals, completed with what the account and AWS always send.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rooftree.errors import InputError
from rooftree.organization.timestamps import format_time
from rooftree.permissions import AccountBinding, Permissions
from rooftree.permissions.keys import PRINCIPAL_KEY, PRINCIPAL_SIDE, canonical_key
from rooftree.permissions.witness import determined_context
from rooftree.policy.chain import Chain
from rooftree.policy.context import Context
from rooftree.policy.evaluate import ChainDecision, Decision, decide_chain
from rooftree.policy.request import Request

__all__ = ["Answer", "Question", "Ruling", "Values"]

ASSUMED_ROLE: Final = "Example"

_PRINCIPAL: Final = canonical_key(PRINCIPAL_KEY)

Values = str | list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A decision with what it rests on.

    Attributes:
        assumed: Keys that AWS always sends, that the policies ask for and that the question left open.
    """

    decision: ChainDecision
    assumed: Mapping[str, Values]

    @property
    def document(self) -> dict[str, object]:
        """
        The answer as JSON.
        """
        return {
            "decision": str(self.decision.decision),
            "decided_by": [
                {
                    "policy_type": "service_control",
                    "target": entry.target_id,
                    "policy": entry.policy_id,
                    "policy_name": entry.policy_name,
                    "statement": entry.statement.sid,
                    "index": entry.statement.index,
                }
                for entry in self.decision.decided_by
            ],
            "missing_levels": list(self.decision.missing_levels),
            "assumed": dict(self.assumed),
        }


@dataclass(frozen=True, slots=True)
class Ruling:
    """
    A decision that holds for every account with the same permissions.

    Attributes:
        assumed: What was assumed for the account that was asked.
        partition: The AWS partition of all of these accounts.
    """

    decision: Decision
    assumed: Mapping[str, Values]
    partition: str

    def assumed_of(self, account_id: str) -> Mapping[str, Values]:
        """
        Return what is assumed for another account with these permissions: all of it but the name of its principal.
        """
        if _PRINCIPAL not in self.assumed:
            return self.assumed
        return {**self.assumed, _PRINCIPAL: _some_principal(account_id, self.partition)}


@dataclass(frozen=True, slots=True)
class Question:
    """
    A request as it was asked about.

    Attributes:
        context: The keys that were given.
        moment: When the request is thought to be made.
    """

    action: str
    resource: str
    context: Mapping[str, list[str]]
    moment: datetime

    @classmethod
    def of(cls, action: str, resource: str, context: Mapping[str, list[str]], at: datetime | None) -> Question:
        """
        Read a question about now or about a time.

        Raises:
            InputError: The action or the resource is a pattern, or none at all.
        """
        service, separator, name = action.partition(":")
        if not (service and separator and name) or any(sign in action for sign in "*? "):
            raise InputError(f"expected one action such as `s3:GetObject`, found `{action}`", place="action")
        if resource != "*" and not (resource.startswith("arn:") and resource.count(":") >= 5):
            raise InputError(
                f"expected an ARN such as `arn:aws:s3:::bucket/key`, or `*`, found `{resource}`", place="resource"
            )
        return cls(action, resource, context, at or datetime.now(UTC))

    @property
    def document(self) -> dict[str, object]:
        """
        The question as JSON.
        """
        return {"action": self.action, "resource": self.resource, "context": self._given()}

    def ask(self, account: AccountBinding, chain: Chain) -> Answer:
        """
        Put the question to an account under its chain.

        Raises:
            InputError: The question gives a key another value than the account has.
        """
        request, assumed = self._completed(account)
        return Answer(decide_chain(chain, request), _asked_for(assumed, chain))

    @property
    def tells_accounts_apart(self) -> bool:
        """
        Whether it gives a key that accounts determine, or names a principal, which is not of all of them.
        """
        return any(key.lower() in {PRINCIPAL_KEY, *PRINCIPAL_SIDE.determined} for key in self.context)

    def put(self, account: AccountBinding, permissions: Permissions) -> Ruling:
        """
        Put the question to an account with these permissions.

        Raises:
            InputError: The question gives a key another value than the account has.
        """
        request, assumed = self._completed(account)
        return Ruling(permissions.decide(request), _asked_for(assumed, permissions.chain), account.partition)

    def _completed(self, account: AccountBinding) -> tuple[Request, Mapping[str, Values]]:
        determined = determined_context(account)
        self._refuse_other_values(determined)
        given = {key.lower() for key in self.context}
        assumed = {key: value for key, value in self._always_sent(account).items() if key.lower() not in given}
        context = Context.from_json({**assumed, **self._given(), **_as_json(determined)})
        return Request(action=self.action, resource=self.resource, context=context), assumed

    def _given(self) -> dict[str, object]:
        known = {key: values for key, values in self.context.items() if key.lower() not in PRINCIPAL_SIDE.determined}
        return {key: values[0] if len(values) == 1 else values for key, values in known.items()}

    def _always_sent(self, account: AccountBinding) -> dict[str, Values]:
        now = self.moment
        own: dict[str, str] = {
            PRINCIPAL_KEY: _some_principal(account.account_id, account.partition),
            "aws:currenttime": format_time(now),
            "aws:epochtime": str(int(now.timestamp())),
        }
        return {canonical_key(key): own.get(key) or value or "" for key, value in account.side.always_sent.items()}

    def _refuse_other_values(self, determined: Mapping[str, object]) -> None:
        fixed = {key.lower(): value for key, value in _as_json(determined).items()}
        for key, values in self.context.items():
            value = fixed.get(key.lower())
            if value is not None and values != (value if isinstance(value, list) else [value]):
                raise InputError(f"the account determines `{key}`; it is `{value}`", place="context")


def _some_principal(account_id: str, partition: str) -> str:
    return f"arn:{partition}:iam::{account_id}:role/{ASSUMED_ROLE}"


def _as_json(context: Mapping[str, object]) -> dict[str, object]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in context.items()}


def _asked_for(context: Mapping[str, Values], chain: Chain) -> Mapping[str, Values]:
    """
    Return the keys that the policies of a chain ask for.
    """
    keys = {
        condition.key.lower()
        for level in chain.levels or ()
        for policy in level.policies
        for statement in policy.document.statements
        for condition in statement.conditions
    }
    return {key: value for key, value in context.items() if key.lower() in keys}
