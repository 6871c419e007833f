"""
Policies: all of them with where they hang, and one with its text, what lint says of it, and its history.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rooftree.api.pages import phrases
from rooftree.api.pages.feed import FeedEntry, entries_of
from rooftree.api.pages.site import Crumb, Site, Visit
from rooftree.api.query import Query
from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.identifiers import is_account, is_root
from rooftree.organization.tree import Organization
from rooftree.policy.builtin import BUILTIN_CONTENT
from rooftree.policy.findings import Finding, Severity
from rooftree.policy.kinds import PolicyKind
from rooftree.policy.lint import lint_policy
from rooftree.reading.outline import AuditFilter, PolicyVersion

__all__ = ["PolicyPages", "lint_lines", "pretty"]

SCANNED: Final = 2000
CHANGES_SHOWN: Final = 10
PARTS_READ: Final = 12
PLACES_SHOWN: Final = 6
PLACES_OF_ONE: Final = 200

ORDER: Final = (
    *("Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal"),
    *("Action", "NotAction", "Resource", "NotResource", "Condition"),
)

MARKS: Final = {Severity.ERROR: ("bad", "Error"), Severity.WARNING: ("warn", "Risk"), Severity.NOTE: ("quiet", "Note")}


@dataclass(frozen=True, slots=True)
class Place:
    """
    A node on which a policy hangs.
    """

    name: str
    address: str
    icon: str


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """
    A policy in the list.
    """

    policy_id: str
    name: str
    address: str
    kind: tuple[str, str]
    ours: bool
    places: Sequence[Place]
    places_more: int
    size: int | None


@dataclass(frozen=True, slots=True)
class PoliciesView:
    """
    All policies of an organization.
    """

    policies: Sequence[PolicyLine]


@dataclass(frozen=True, slots=True)
class PolicyView:
    """
    One policy.

    Attributes:
        text: Its document, laid out; None while it is not known.
        versions: The documents that it had where it hung, the latest first.
        shown: Which of them is shown; None for the one that holds.
    """

    line: PolicyLine
    text: str | None
    lines: int
    findings: Sequence[tuple[tuple[str, str], Finding]]
    versions: Sequence[tuple[PolicyVersion, str, bool]]
    changes: Sequence[FeedEntry]
    audit: str
    edit: str | None
    attach: str | None
    is_past: bool


class PolicyPages:
    """
    The list and the page of one policy.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def list(self, request: Request) -> Response:
        """
        List all policies with where they hang.
        """
        visit = await self._site.visit(request)
        Query(request)
        frame = Organization(visit.organization_id, await visit.reader.frame(visit.organization_id))
        targets = _targets(frame)
        known = [*frame.policies(), *(one for one in BUILTIN_POLICIES if targets.get(one))]
        lines = [_line(visit, frame, policy_id, targets) for policy_id in known]
        view = PoliciesView(sorted(lines, key=lambda line: (not line.ours, line.name.casefold())))
        crumbs = [Crumb("Policies", visit.to.page("policies"))]
        return self._site.show(visit, "policies.html", view, section="policies", title="Policies", crumbs=crumbs)

    async def show(self, request: Request) -> Response:
        """
        Show one policy.
        """
        visit = await self._site.visit(request)
        query = Query(request, "version")
        policy_id = str(request.path_params["policy_id"])
        frame = Organization(visit.organization_id, await visit.reader.frame(visit.organization_id))
        policy = frame.policy(policy_id)
        targets = _targets(frame)
        if policy is None and policy_id not in targets:
            raise HTTPException(404, f"no policy `{policy_id}` in `{visit.organization_id}`")
        line = _line(visit, frame, policy_id, targets, shown=PLACES_OF_ONE)
        versions = await visit.reader.policy_versions(visit.organization_id, policy_id)
        content = _content(frame, policy_id)
        chosen = next((one for one in versions if one.digest.startswith(query.text("version") or " ")), None)
        text = pretty(chosen.content if chosen else content)
        window = await visit.reader.find_audit(
            visit.organization_id,
            AuditFilter(policy_id=policy_id),
            scan=SCANNED,
            shown=PARTS_READ,
            revisions=CHANGES_SHOWN,
        )
        kind = AUTHORIZING_TYPES.get(policy.type) if policy and line.ours else None
        view = PolicyView(
            line=line,
            text=text,
            lines=text.count("\n") + 1 if text else 0,
            findings=lint_lines(chosen.content if chosen else content, kind) if kind else [],
            versions=[
                (one, f"{visit.to.policy(policy_id)}?version={one.digest[:12]}", one is chosen) for one in versions
            ],
            changes=entries_of(visit.organization_id, window.rows, visit.to, shown=CHANGES_SHOWN),
            audit=visit.to.audit(policy_id=policy_id),
            edit=visit.to.page("what-if", step="update", policy=policy_id) if kind else None,
            attach=visit.to.page("what-if", step="attach", policy=policy_id) if policy else None,
            is_past=chosen is not None,
        )
        crumbs = [Crumb("Policies", visit.to.page("policies")), Crumb(line.name, visit.to.policy(policy_id))]
        return self._site.show(visit, "policy.html", view, section="policies", title=line.name, crumbs=crumbs)


def pretty(content: str | None) -> str | None:
    """
    Lay a document out, an indented member a line; text that is no JSON stays as it is.
    """
    if content is None:
        return None
    try:
        return json.dumps(_in_order(json.loads(content)), indent=2, ensure_ascii=False)
    except ValueError:
        return content


def _in_order(value: object) -> object:
    """
    Return a document with its members in the order in which people write them.
    """
    if isinstance(value, list):
        return [_in_order(one) for one in value]
    if not isinstance(value, dict):
        return value
    known = [name for name in ORDER if name in value]
    return {name: _in_order(value[name]) for name in [*known, *(name for name in value if name not in ORDER)]}


def lint_lines(content: str | None, kind: PolicyKind | None) -> list[tuple[tuple[str, str], Finding]]:
    """
    Return what lint finds, what matters most first.
    """
    if content is None or kind is None:
        return []
    order = list(MARKS)
    found = sorted(lint_policy(content, kind), key=lambda finding: order.index(finding.severity))
    return [(MARKS[finding.severity], finding) for finding in found]


def _targets(frame: Organization) -> Mapping[str, Sequence[str]]:
    """
    Return where each policy hangs; of FullAWSAccess only where a fact says so, since it hangs everywhere else as well.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    registers = frame.registers
    root = registers.root()
    nodes = [*([root] if root else []), *frame.units()]
    for node_id in nodes:
        for policy_id in frame.attached_ids(node_id):
            found[policy_id].append(node_id)
    for fact in registers:
        if fact.kind == FactKind.ATTACHMENT and is_account(fact.subject) and fact.value is True:
            found[fact.attribute].append(fact.subject)
    return found


def _line(
    visit: Visit,
    frame: Organization,
    policy_id: str,
    targets: Mapping[str, Sequence[str]],
    *,
    shown: int = PLACES_SHOWN,
) -> PolicyLine:
    policy, content = frame.policy(policy_id), _content(frame, policy_id)
    nodes = sorted(targets.get(policy_id, ()), key=lambda one: (not is_root(one), frame.name_of(one).casefold()))
    names = Counter(frame.name_of(node_id) for node_id in nodes)
    return PolicyLine(
        policy_id=policy_id,
        name=frame.name_of(policy_id),
        address=visit.to.policy(policy_id),
        kind=phrases.policy_type(policy.type if policy else ""),
        ours=policy_id not in BUILTIN_POLICIES,
        places=[_place(visit, frame, node_id, alone=names[frame.name_of(node_id)] == 1) for node_id in nodes[:shown]],
        places_more=max(len(nodes) - shown, 0),
        size=len(content) if content is not None else None,
    )


def _place(visit: Visit, frame: Organization, node_id: str, *, alone: bool) -> Place:
    """
    Return a node that a policy hangs on; one that is not *alone* with its name is told apart by its parent.
    """
    icon = "account" if is_account(node_id) else "root" if is_root(node_id) else "unit"
    name = "Root" if is_root(node_id) else frame.name_of(node_id)
    parent = None if alone else frame.registers.parent(node_id)
    return Place(f"{frame.name_of(parent)} / {name}" if parent else name, visit.to.node(node_id), icon)


def _content(frame: Organization, policy_id: str) -> str | None:
    if policy_id in BUILTIN_CONTENT:
        return json.dumps(BUILTIN_CONTENT[policy_id])
    return frame.registers.text(FactKind.POLICY, policy_id, Attribute.CONTENT)
