"""
The organization: the tree with policies on its nodes, and one node in full.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rooftree.api.pages import phrases
from rooftree.api.pages.addresses import Addresses, with_query
from rooftree.api.pages.charts import Shares
from rooftree.api.pages.feed import FeedEntry, entries_of
from rooftree.api.pages.shares import ShareCache
from rooftree.api.pages.site import Crumb, Site, Visit
from rooftree.api.query import Query, decode_cursor, encode_cursor
from rooftree.organization.documents import BUILTIN_POLICIES
from rooftree.organization.facts import FactKind
from rooftree.organization.identifiers import is_account, is_root
from rooftree.organization.tree import Organization
from rooftree.organization.waiting import Waiting, waiting
from rooftree.reading.outline import AccountRow, AuditFilter, Gathering
from rooftree.view.patch import ProbeState

__all__ = ["Node", "OrganizationPage", "PolicyChip", "chips_of", "tree_of", "waits_in"]

ACCOUNTS_SHOWN: Final = 50
CHANGES_SHOWN: Final = 4
SCANNED: Final = 400
"""Audit events that are held against a node, to show its latest changes."""

PARTS_READ: Final = 12
UNFOLDED: Final = 60
"""Of so many units the tree shows all; of more, only the way to the one that is looked at."""

NOT_PLACED: Final = "unplaced"


@dataclass(frozen=True, slots=True)
class PolicyChip:
    """
    A policy where it hangs.

    Attributes:
        ours: Whether the organization wrote it; else it is one that AWS hangs everywhere.
        known: Whether its document is known; else the attachment waits.
    """

    policy_id: str
    name: str
    address: str
    kind: tuple[str, str]
    ours: bool
    known: bool


@dataclass(frozen=True, slots=True)
class Node:
    """
    A root or an organizational unit in the tree.

    Attributes:
        accounts: How many accounts stand directly under it, and *below* how many in all.
        changed_at: When one of all these changed last.
        policies: The names of those that the organization wrote.
        is_open: Whether its children are shown at first.
        is_folded: Whether it has children that are shown on its own page only, since there are many.
        waits: How many things at it wait.
    """

    node_id: str
    name: str
    icon: str
    address: str
    accounts: int
    below: int
    changed_at: datetime | None
    recent: bool
    policies: Sequence[str]
    children: Sequence[Node]
    is_open: bool
    is_folded: bool
    current: bool
    waits: int


@dataclass(frozen=True, slots=True)
class Inherited:
    """
    What binds a node from above.
    """

    node: str
    address: str
    policies: Sequence[PolicyChip]


@dataclass(frozen=True, slots=True)
class AccountLine:
    """
    An account in a list.
    """

    row: AccountRow
    address: str
    status: tuple[str, str]
    recent: bool
    policies: Sequence[PolicyChip]
    shares: Shares | None


@dataclass(frozen=True, slots=True)
class Wait:
    """
    Something that is known and has no effect yet.
    """

    subject: str
    address: str
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """
    The organization in figures.
    """

    accounts: int
    units: int
    policies: int
    probes: int
    unexpected: Sequence[ProbeState]


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """
    What the page shows.

    Attributes:
        tree: From the root; None while it is not known.
        node_id: The node that is looked at.
        way: The nodes above it.
        following: Where the list of accounts goes on.
    """

    tree: Node | None
    counts: Counts
    waits: Sequence[Wait]
    unplaced: int
    unplaced_address: str
    node_id: str
    name: str
    icon: str
    is_unplaced: bool
    way: Sequence[Crumb]
    policies: Sequence[PolicyChip]
    inherited: Sequence[Inherited]
    accounts: Sequence[AccountLine]
    accounts_total: int
    below: int
    following: str | None
    changes: Sequence[FeedEntry]
    audit: str


class OrganizationPage:
    """
    The page, for the root or for another node.
    """

    def __init__(self, site: Site, shares: ShareCache) -> None:
        self._site = site
        self._shares = shares

    async def show(self, request: Request) -> Response:
        """
        Show the tree, and one node of it: the root, unless another is named.
        """
        visit = await self._site.visit(request)
        query = Query(request, "after")
        frame = Organization(visit.organization_id, await visit.reader.frame(visit.organization_id))
        root_id = frame.registers.root()
        node_id = str(request.path_params.get("node_id") or root_id or "")
        if "node_id" in request.path_params and not _is_here(frame, node_id):
            raise HTTPException(404, f"no root or organizational unit `{node_id}` in `{visit.organization_id}`")
        view = await self._view(visit, frame, node_id, query.text("after"))
        is_home = node_id == root_id
        crumbs = [] if is_home else [*view.way, Crumb(view.name, str(request.url.path))]
        title = visit.organization_id if is_home else view.name
        return self._site.show(visit, "organization.html", view, section="organization", title=title, crumbs=crumbs)

    async def _view(self, visit: Visit, frame: Organization, node_id: str, after: str | None) -> OrganizationView:
        reader, organization_id, now = visit.reader, visit.organization_id, datetime.now(UTC)
        gathered = {one.node_id: one for one in await reader.gatherings(organization_id)}
        here = "" if node_id == NOT_PLACED else node_id
        start = decode_cursor(after, 2) if after else ["", ""]
        rows = await reader.accounts_in(organization_id, here, after=(start[0], start[1]), limit=ACCOUNTS_SHOWN + 1)
        shown, more = rows[:ACCOUNTS_SHOWN], len(rows) > ACCOUNTS_SHOWN
        shares = await self._shares.find(reader, organization_id, [row.permissions_id for row in shown])
        probes = await reader.probes(organization_id)
        waits_for = waiting(frame)
        tree = tree_of(frame, gathered, visit.to, here=node_id, now=now, waits_for=waits_for)
        following = encode_cursor([shown[-1].name, shown[-1].account_id]) if more else None
        return OrganizationView(
            tree=tree,
            counts=Counts(
                accounts=sum(one.count for one in gathered.values()),
                units=sum(1 for _ in frame.units()),
                policies=sum(1 for _ in frame.policies()),
                probes=len(probes),
                unexpected=[state for state in probes if state.as_expected is not True],
            ),
            waits=waits_in(frame, visit.to, waits_for),
            unplaced=gathered[""].count if "" in gathered else 0,
            unplaced_address=visit.to.node(NOT_PLACED),
            node_id=node_id,
            name="Not placed" if node_id == NOT_PLACED else _name(frame, node_id),
            icon="root" if is_root(node_id) else "unit",
            is_unplaced=node_id == NOT_PLACED,
            way=[Crumb(_name(frame, one), visit.to.node(one)) for one in _above(frame, node_id)],
            policies=chips_of(frame, visit.to, node_id),
            inherited=[
                Inherited(_name(frame, one), visit.to.node(one), chips)
                for one in _above(frame, node_id)
                if (chips := [chip for chip in chips_of(frame, visit.to, one) if chip.ours])
            ],
            accounts=[_line(frame, visit.to, row, shares, now) for row in shown],
            accounts_total=gathered[here].count if here in gathered else 0,
            below=_below(tree, node_id),
            following=with_query(visit.request.url.path, after=following) if following else None,
            changes=await self._changes(visit, node_id),
            audit=visit.to.audit(under=None if is_root(node_id) else node_id),
        )

    async def _changes(self, visit: Visit, node_id: str) -> list[FeedEntry]:
        if node_id == NOT_PLACED:
            return []
        if not node_id or is_root(node_id):
            rows = await visit.reader.audit_revisions(visit.organization_id, limit=CHANGES_SHOWN, shown=PARTS_READ)
        else:
            window = await visit.reader.find_audit(
                visit.organization_id,
                AuditFilter(node_id=node_id),
                scan=SCANNED,
                shown=PARTS_READ,
                revisions=CHANGES_SHOWN,
            )
            rows = list(window.rows)[:CHANGES_SHOWN]
        return entries_of(visit.organization_id, rows, visit.to)


def tree_of(
    frame: Organization,
    gathered: Mapping[str, Gathering],
    to: Addresses,
    *,
    here: str,
    now: datetime,
    waits_for: Sequence[Waiting] = (),
) -> Node | None:
    """
    Return the tree from the root, with the way to one node open; None while the root is not known.

    Args:
        frame: The organization without its accounts.
        gathered: The accounts under each node.
        to: The pages of the organization.
        here: The node that is looked at.
        now: What is recent is so by this time.
        waits_for: What waits.
    """
    root_id = frame.registers.root()
    if root_id is None:
        return None
    children: defaultdict[str, list[str]] = defaultdict(list)
    units = sorted(frame.units(), key=lambda unit: (frame.name_of(unit).casefold(), unit))
    for unit_id in units:
        parent_id = frame.registers.parent(unit_id)
        if parent_id is not None:
            children[parent_id].append(unit_id)
    waits = Counter(one.subject for one in waits_for)
    way = {*_above(frame, here), here, root_id}
    shows_all = len(units) <= UNFOLDED
    built: dict[str, Node] = {}
    for node_id in _bottom_up(root_id, children):
        below = [built[child] for child in children[node_id] if child in built]
        own = gathered.get(node_id)
        times = [child.changed_at for child in below if child.changed_at] + ([own.changed_at] if own else [])
        changed_at = max(times, default=None)
        is_open = shows_all or node_id in way
        built[node_id] = Node(
            node_id=node_id,
            name=_name(frame, node_id),
            icon="root" if is_root(node_id) else "unit",
            address=to.home if node_id == root_id else to.node(node_id),
            accounts=own.count if own else 0,
            below=(own.count if own else 0) + sum(child.below for child in below),
            changed_at=changed_at,
            recent=changed_at is not None and phrases.is_recent(changed_at, now),
            policies=[frame.name_of(one) for one in frame.attached_ids(node_id) if one not in BUILTIN_POLICIES],
            children=below if is_open else (),
            is_open=is_open,
            is_folded=bool(below) and not is_open,
            current=node_id == here,
            waits=waits[node_id],
        )
    return built[root_id]


def chips_of(frame: Organization, to: Addresses, node_id: str) -> list[PolicyChip]:
    """
    Return the policies that hang on a node, those of the organization's own making first.
    """
    chips = []
    for policy_id in frame.attached_ids(node_id) if node_id else ():
        policy = frame.policy(policy_id)
        chips.append(
            PolicyChip(
                policy_id=policy_id,
                name=frame.name_of(policy_id),
                address=to.policy(policy_id),
                kind=phrases.policy_type(policy.type if policy else ""),
                ours=policy_id not in BUILTIN_POLICIES,
                known=policy is not None,
            )
        )
    return sorted(chips, key=lambda chip: (not chip.ours, chip.name.casefold()))


def waits_in(frame: Organization, to: Addresses, known: Sequence[Waiting]) -> list[Wait]:
    """
    Return what waits: of units and of attachments, those on accounts included.
    """
    found = [*known, *_on_accounts(frame)]
    return [_wait(frame, to, one) for one in sorted(found, key=lambda one: (one.subject, one.waits_for))]


def _on_accounts(frame: Organization) -> Iterable[Waiting]:
    # the frame has no facts about accounts themselves, so it does not take them for present
    for fact in frame.registers:
        if fact.kind == FactKind.ATTACHMENT and is_account(fact.subject) and fact.value is True:
            policy = frame.policy(fact.attribute)
            if policy is None:
                yield Waiting(fact.subject, fact.attribute, fact.version.time)


def _wait(frame: Organization, to: Addresses, one: Waiting) -> Wait:
    if one.waits_for.startswith("p-"):
        reason = f"the policy {frame.name_of(one.waits_for)} is attached to it, and its text is not known"
    elif one.waits_for:
        reason = f"it stands under {one.waits_for}, which is not known"
    else:
        reason = "nobody has told where it stands"
    return Wait(_name(frame, one.subject), to.node(one.subject), reason, one.since)


def _line(
    frame: Organization, to: Addresses, row: AccountRow, shares: Mapping[str, Shares], now: datetime
) -> AccountLine:
    own = [chip for chip in chips_of(frame, to, row.account_id) if chip.ours]
    return AccountLine(
        row=row,
        address=to.account(row.account_id),
        status=phrases.status(row.status),
        recent=phrases.is_recent(row.since, now),
        policies=own,
        shares=shares.get(row.permissions_id or ""),
    )


def _is_here(frame: Organization, node_id: str) -> bool:
    return node_id in (NOT_PLACED, frame.registers.root()) or (
        node_id.startswith("ou-") and frame.registers.is_present(node_id)
    )


def _above(frame: Organization, node_id: str) -> list[str]:
    """
    Return the nodes above one, from the root down, as far as they are known.
    """
    way: list[str] = []
    current = None if node_id in ("", NOT_PLACED) or is_root(node_id) else frame.registers.parent(node_id)
    while current is not None and current not in way:
        way.append(current)
        current = None if is_root(current) else frame.registers.parent(current)
    return way[::-1]


def _bottom_up(root_id: str, children: Mapping[str, Sequence[str]]) -> list[str]:
    order, pending, seen = [], [root_id], {root_id}
    while pending:
        node_id = pending.pop()
        order.append(node_id)
        fresh = [child for child in children.get(node_id, ()) if child not in seen]
        seen.update(fresh)
        pending.extend(fresh)
    return order[::-1]


def _below(node: Node | None, node_id: str) -> int:
    """
    Return how many accounts are below a node; the way to it is never folded.
    """
    pending = [node] if node is not None else []
    while pending:
        current = pending.pop()
        if current.node_id == node_id:
            return current.below
        pending.extend(current.children)
    return 0


def _name(frame: Organization, node_id: str) -> str:
    return "Root" if is_root(node_id) else frame.name_of(node_id)
