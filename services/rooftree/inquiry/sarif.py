"""
A report as SARIF, so that a code review shows each change at the statement that makes it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rooftree import __version__
from rooftree.inquiry import wording
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.grouping import Block, account_words
from rooftree.inquiry.touches import distinct_touches, touch_lines
from rooftree.policy.locating import locate, spans_of

__all__ = ["PolicyFile", "sarif_document"]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION: Final = "2.1.0"

RULES: Final = {
    "allowed": ("now-allowed", "Requests are allowed that were denied", "warning"),
    "denied": ("now-denied", "Requests are denied that were allowed", "note"),
}

_INDEX: Final = re.compile(r"#(\d{1,6})\Z")


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """
    The file in which a policy is written.

    Attributes:
        path: As the repository has it, with slashes.
    """

    path: str
    text: str


def sarif_document(report: Report, files: Mapping[str, PolicyFile]) -> dict[str, object]:
    """
    Return a report as a SARIF log, one result for each distinct change.

    Args:
        report: What differs.
        files: Where policies are written, by id. A change by a policy of none of them has no line.
    """
    rules = list(RULES.values())
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Rooftree",
                        "semanticVersion": __version__,
                        "rules": [
                            {
                                "id": identifier,
                                "shortDescription": {"text": title},
                                "defaultConfiguration": {"level": level},
                            }
                            for identifier, title, level in rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(block, report.names, files) for block in report.blocks()],
                **({"properties": people} if (people := _people(report)) else {}),
            }
        ],
    }


def _people(report: Report) -> dict[str, object]:
    """
    Return whom the change touches as a whole: no single result says what a user or a role loses.
    """
    reach = wording.reach_words(impact for _, impact in report.impacts)
    if reach is None:
        return {}
    return {"principals": reach, "touched": list(touch_lines(distinct_touches(report.impacts)))}


def _result(block: Block, names: Mapping[str, str], files: Mapping[str, PolicyFile]) -> dict[str, object]:
    change = block.change
    identifier, _, level = RULES[change["direction"]]
    return {
        "ruleId": identifier,
        "ruleIndex": [rule for rule, _, _ in RULES.values()].index(identifier),
        "level": level,
        "message": {"text": _message(block, names)},
        "locations": list(_locations(change, names, files)),
        "partialFingerprints": {"decisionChange/v1": _fingerprint(change)},
        "properties": {
            "accounts": [account.account_id for account in block.accounts],
            "before": change["before"],
            "after": change["after"],
            **({"witness": change["witness"]} if change.get("witness") else {}),
        },
    }


def _message(block: Block, names: Mapping[str, str]) -> str:
    change = block.change
    told = [f"{wording.change_words(change)}."]
    if change.get("witness"):
        told.append(f"For example {wording.witness_words(change)}.")
    told.append(f"Because {wording.blame_words(change, names)}.")
    if change.get("unless"):
        told.append(f"Except what {wording.unless_words(change, names)}.")
    told.append(f"In {account_words(block.accounts)}.")
    return " ".join(told)


def _locations(
    change: Mapping[str, Any], names: Mapping[str, str], files: Mapping[str, PolicyFile]
) -> Iterator[dict[str, object]]:
    seen: set[tuple[str, str]] = set()
    for statement in _latest_first(change.get("statements", ())):
        policy_id, label = statement["policy_id"], statement["statement"]
        if (policy_id, label) in seen:
            continue
        seen.add((policy_id, label))
        name = f"{names.get(policy_id, policy_id)}/{label}"
        location: dict[str, object] = {
            "logicalLocations": [{"name": label, "fullyQualifiedName": name, "kind": "object"}]
        }
        file = files.get(policy_id)
        if file is not None:
            span = locate(file.text, _place(file.text, label))
            location["physicalLocation"] = {
                "artifactLocation": {"uri": _uri(file.path), "uriBaseId": "%SRCROOT%"},
                "region": {
                    "startLine": span.line,
                    "startColumn": span.column,
                    "endLine": span.end_line,
                    "endColumn": span.end_column,
                },
            }
        yield location


def _latest_first(statements: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """
    Put what is so afterwards in front: that is what stands in the files.
    """
    return sorted(statements, key=lambda statement: statement.get("side") != "after")


def _place(text: str, label: str) -> str:
    """
    Return the place of a statement in the text of its policy; the whole policy where it is not there any more.
    """
    index = _INDEX.match(label)
    if index is not None:
        return f"Statement[{index[1]}]"
    lines = text.splitlines(keepends=True)
    for place, span in spans_of(text).items():
        if re.fullmatch(r"Statement\[\d+\]\.Sid", place):
            member = lines[span.line - 1][span.column - 1 : span.end_column - 1]
            if member.rpartition(":")[2].strip() == json.dumps(label, ensure_ascii=False):
                return place.removesuffix(".Sid")
    return ""


def _uri(path: str) -> str:
    return "".join(
        character if character.isalnum() or character in "-._~/" else _escaped(character) for character in path
    )


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def _fingerprint(change: Mapping[str, Any]) -> str:
    told = {name: value for name, value in change.items() if name not in {"witness", "known_actions"}}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
