"""
From the JSON of one statement to a statement, element by element.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final

from rooftree.errors import PolicyError
from rooftree.policy.kinds import ElementRules, Need
from rooftree.policy.model import Condition, Effect, PrincipalPattern, Statement
from rooftree.policy.operators import parse_operator
from rooftree.policy.wording import in_place, item_place, quote

__all__ = ["parse_statement", "refuse_unknown"]

_ELEMENTS: Final = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_PRINCIPAL_KINDS: Final = ("AWS", "CanonicalUser", "Federated", "Service")
_EVERYBODY: Final = (PrincipalPattern("*", "*"),)

Json = Mapping[str, object]


def parse_statement(content: object, index: int, rules: ElementRules) -> Statement:
    """
    Read the statement at position *index*.

    Raises:
        PolicyError: An element is unknown, missing, out of place or of the wrong type. The place starts inside of the
            statement.
    """
    if not isinstance(content, dict):
        raise PolicyError(f"expected a statement, found {quote(content)}")
    refuse_unknown(content, _ELEMENTS)
    statement = Statement(
        index=index,
        sid=_sid(content),
        effect=_effect(content),
        actions=_texts(content, "Action"),
        not_actions=_texts(content, "NotAction"),
        resources=_texts(content, "Resource"),
        not_resources=_texts(content, "NotResource"),
        principals=_principals(content, "Principal"),
        not_principals=_principals(content, "NotPrincipal"),
        conditions=_conditions(content),
    )
    _check_choice(content, "Action", Need.REQUIRED, rules)
    _check_choice(content, "Resource", rules.resource, rules)
    _check_choice(content, "Principal", rules.principal, rules)
    if rules.deny_all_callers and not _is_full_access(statement):
        _check_denies_all_callers(statement, rules)
    return statement


def refuse_unknown(content: Json, known: Collection[str]) -> None:
    """
    Refuse an element that the language does not have, with a hint where only its case is wrong.

    AWS does not document whether case matters here; the exact spelling is asked for.

    Raises:
        PolicyError: There is one.
    """
    for name in content:
        if name not in known:
            meant = next((f", did you mean `{one}`?" for one in known if one.lower() == name.lower()), "")
            raise PolicyError(f"unknown element {quote(name)}{meant}", place=in_place(name))


def _sid(content: Json) -> str | None:
    sid = content.get("Sid")
    if "Sid" in content and not isinstance(sid, str):
        raise PolicyError(f"expected text, found {quote(sid)}", place="Sid")
    return sid if isinstance(sid, str) else None


def _effect(content: Json) -> Effect:
    """
    Read the effect, whose case matters.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html
    """
    if "Effect" not in content:
        raise PolicyError("expected `Effect`")
    effect = content["Effect"]
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"expected `Allow` or `Deny`, found {quote(effect)}", place="Effect")
    return Effect(effect)


def _texts(content: Json, name: str) -> tuple[str, ...] | None:
    """
    Read one text or a list of them; a list may be empty, since nothing is known to forbid it.
    """
    if name not in content:
        return None
    found = content[name]
    texts = []
    for position, text in enumerate(found if isinstance(found, list) else [found]):
        if not isinstance(text, str) or not text:
            raise PolicyError(f"expected text, found {quote(text)}", place=item_place(name, position, found))
        texts.append(text)
    return tuple(texts)


def _principals(content: Json, name: str) -> tuple[PrincipalPattern, ...] | None:
    """
    Read everybody, or a map from a kind of principals to one or a list of them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if name not in content:
        return None
    found = content[name]
    if found == "*":
        return _EVERYBODY
    if not isinstance(found, dict):
        raise PolicyError(f"expected `*` or an object, found {quote(found)}", place=name)
    patterns = []
    try:
        refuse_unknown(found, _PRINCIPAL_KINDS)
        for kind in _PRINCIPAL_KINDS:
            patterns += [PrincipalPattern(kind, value) for value in _texts(found, kind) or ()]
    except PolicyError as error:
        raise error.within(name) from None
    return tuple(patterns)


def _conditions(content: Json) -> tuple[Condition, ...]:
    """
    Read the Condition block, in an order that does not depend on that of the text.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    """
    conditions = []
    for name, keys in _object(content.get("Condition", {}), "Condition").items():
        place = f"Condition.{in_place(name)}"
        try:
            operator = parse_operator(name)
        except PolicyError as error:
            raise error.within(place) from None
        conditions += [
            Condition(operator, key, _condition_values(found, f"{place}.{in_place(key)}"))
            for key, found in _object(keys, place).items()
        ]
    return tuple(sorted(conditions, key=lambda one: (str(one.operator), one.key.lower(), one.key, one.values)))


def _object(value: object, place: str) -> Json:
    if not isinstance(value, dict):
        raise PolicyError(f"expected an object, found {quote(value)}", place=place)
    return value


def _condition_values(found: object, place: str) -> tuple[str, ...]:
    """
    Read the values of a condition: text, or JSON's own numbers and booleans, for which quotes are optional.
    """
    values = []
    for position, value in enumerate(found if isinstance(found, list) else [found]):
        if not isinstance(value, str | bool | int | float):
            reason = f"expected text, a number or a boolean, found {quote(value)}"
            raise PolicyError(reason, place=item_place(place, position, found))
        values.append(value if isinstance(value, str) else json.dumps(value))
    return tuple(values)


def _check_choice(content: Json, name: str, need: Need, rules: ElementRules) -> None:
    """
    Hold an element and its negation to what the kind of policy asks, of which at most one may stand.
    """
    present = [found for found in (name, f"Not{name}") if found in content]
    if len(present) > 1:
        raise PolicyError(f"expected either `{name}` or `Not{name}`, found both", place=present[1])
    if present and need is Need.REFUSED:
        raise PolicyError(f"{rules.title} has no `{present[0]}`", place=present[0])
    if not present and need is Need.REQUIRED:
        raise PolicyError(f"expected `{name}` or `Not{name}`")


def _is_full_access(statement: Statement) -> bool:
    """
    Tell whether a statement is that of RCPFullAWSAccess, the one resource control policy that allows.
    """
    return (
        statement.effect is Effect.ALLOW
        and statement.principals == _EVERYBODY
        and statement.actions == statement.resources == ("*",)
        and not statement.conditions
    )


def _check_denies_all_callers(statement: Statement, rules: ElementRules) -> None:
    """
    Hold a statement to what a resource control policy may say.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
    """
    if statement.effect is not Effect.DENY:
        raise PolicyError(f"{rules.title} only denies, found `Allow`", place="Effect")
    if statement.not_principals is not None:
        raise PolicyError(f"{rules.title} has no `NotPrincipal`", place="NotPrincipal")
    if statement.principals != _EVERYBODY:
        raise PolicyError(f"{rules.title} has no principal but `*`", place="Principal")
    if statement.not_actions is not None:
        raise PolicyError(f"{rules.title} has no `NotAction`", place="NotAction")
    if "*" in (statement.actions or ()):
        raise PolicyError(f"{rules.title} names the service of each action, found `*`", place="Action")
