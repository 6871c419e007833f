from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from itertools import count, cycle

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from tests.generators.histories import Event, History, histories
from tests.generators.policies import CONTENTS
from tests.generators.shelf import Shelf

from rooftree import permissions
from rooftree.contracts import decode_change
from rooftree.inquiry import wording
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.documents import difference_answer
from rooftree.inquiry.grouping import AccountName, Block, distinct_changes, identify
from rooftree.inquiry.report_summary import (
    AccountSummary,
    ChangeSummary,
    ReportSummary,
    SummaryLimits,
    read_summary,
    summarize,
)
from rooftree.inquiry.sources import MemorySource
from rooftree.inquiry.supposing import Attach, Detach, Move, Step, Update, what_if
from rooftree.inquiry.touches import distinct_touches
from rooftree.organization.directory import Directory
from rooftree.organization.documents import BUILTIN_POLICIES
from rooftree.organization.survey import Survey
from rooftree.organization.tree import Organization
from rooftree.view.patch import Patch

STEPS = 4
"""Changes that are supposed and then made, one after another."""


class ShelfSource(MemorySource):
    """An organization with its principals, as a shelf holds them."""

    def __init__(self, shelf: Shelf, organization: Organization) -> None:
        super().__init__(organization)
        self._shelf = shelf

    async def count_principals(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """How many users and roles each account has."""
        states = [state for state in self._shelf.principals.values() if state.grants.principal.kind != "group"]
        return {one: sum(state.account_id == one for state in states) for one in account_ids}

    async def principals(self, account_ids: Collection[str]) -> Directory:
        """What is known of some accounts, and nothing of any other."""
        facts = [fact for fact in self._shelf.principal_facts.values() if fact.account_id in account_ids]
        return Directory(facts, {one.digest: one.content for one in self._shelf.principal_documents.values()})


def steps_of(organization: Organization, inhabited: Collection[str]) -> Iterator[Step]:
    """Every step that reaches an account of which users or roles are known, with contents that differ much."""
    known = [*sorted(organization.policies()), *BUILTIN_POLICIES]
    written, survey = set(organization.policies()), Survey(organization)
    for account in sorted({*organization.accounts()} & {*inhabited}):
        placement = survey.placement(account)
        for node in placement.path if placement else ():
            attached = organization.attached_ids(node)
            yield from ((Detach if policy in attached else Attach)(policy, node) for policy in known)
            for policy in sorted(written & {*attached}):
                yield from (Update(policy, json.dumps(content)) for content in CONTENTS.values())
        above = organization.registers.parent(account)
        yield from (Move(account, parent) for parent in sorted(organization.units()) if parent != above)


def adorned(organization: Organization) -> Iterator[Step]:
    """Steps that hang a policy on each unit, another one on the next, so that it matters where an account is."""
    written = sorted(organization.policies())
    for policy, unit in zip(cycle(written), sorted(organization.units()), strict=False):
        if policy not in organization.attached_ids(unit):
            yield Attach(policy, unit)


def event_of(step: Step, history: History, number: int) -> Event:
    """The event by which a step is told once it is taken."""
    match step:
        case Attach():
            kind, data = "policy.attached", {"policy_id": step.policy, "target_id": step.target}
        case Detach():
            kind, data = "policy.detached", {"policy_id": step.policy, "target_id": step.target}
        case Update():
            kind, data = "policy.updated", {"policy_id": step.policy, "content": step.content}
        case Move():
            kind, data = "account.moved", {"account_id": step.account, "parent_id": step.parent}
    last = history.events[-1]
    return Event(
        id=f"made-{number}",
        type=f"rooftree.{kind}.v1",
        time=last.time + timedelta(hours=1 + number),
        sequence="",
        actor=last.actor,
        data={"organization_id": history.organization_id, **data},
    )


def told_by_audit(patch: Patch) -> dict[str, tuple[object, ...]]:
    """What the audit events of a change say of each account."""
    return {
        audit.account_id or "": (audit.data["verdict"], audit.data["changes"], audit.data.get("principals"))
        for audit in patch.audit
        if audit.type == "rooftree.decision.changed.v1"
    }


def told_by_report(report: Report) -> dict[str, tuple[object, ...]]:
    """What what-if says of each account, as JSON has it."""
    return {
        one.account.account_id: (one.verdict, *json.loads(json.dumps([one.changes, one.principals])))
        for one in report.differences
    }


def blocks_one_by_one(report: Report) -> list[Block]:
    """The changes of a report, each once, where every account has its own in words of its own."""
    return distinct_changes(
        (
            [AccountName(one.account.account_id, one.account.name)],
            [(identify(change, one.account.account_id), change) for change in one.changes],
        )
        for one in report.differences
    )


LIMITS = SummaryLimits(accounts=2, changes=1, named=1, groups=1)
"""Little, so that much is counted."""


def summary_by_answer(report: Report) -> ReportSummary:
    """What a page shows, counted in the whole answer of the API."""
    answer = json.loads(difference_answer("o", report).model_dump_json(warnings=False))
    accounts, changes = answer["accounts"], answer["changes"]
    impacts = [(one["account_id"], one["principals"]) for one in accounts if one["principals"]]
    groups = distinct_touches(impacts)
    return ReportSummary(
        compared=answer["compared"],
        verdicts=Counter(one["verdict"] for one in accounts),
        accounts=[AccountSummary(one["account_id"], one["account_name"], one["verdict"]) for one in accounts[:2]],
        changes=[
            ChangeSummary(
                one["change"],
                [AccountName(first["account_id"], first["account_name"]) for first in one["accounts"][:1]],
                len(one["accounts"]),
            )
            for one in changes[:1]
        ],
        change_count=len(changes),
        reach=wording.reach_words(impact for _, impact in impacts),
        groups=groups[:1],
        grouped_elsewhere=sum(len(group.arns) for group in groups[1:]),
        left_out=len(answer["principals_left_out"]),
    )


@settings(max_examples=40, deadline=None)
@given(history=histories(changes=150, principals=24), data=st.data())
def test_what_if_says_before_a_change_what_its_audit_events_say_after_it(history: History, data: st.DataObject) -> None:
    """For every account: the verdict, the decisions, and the users and roles that lose or gain with their requests."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(permissions)
    for one in history.events:
        shelf.write(view.apply(decode_change(one.to_bytes())))
    numbers = count()
    for step in adorned(view.organization):
        shelf.write(view.apply(decode_change(event_of(step, history, next(numbers)).to_bytes())))
    for _ in range(STEPS):
        inhabited = {state.account_id for state in shelf.principals.values()}
        steps = list(steps_of(view.organization, inhabited))
        assume(steps)
        kind = data.draw(st.sampled_from(sorted({type(step).__name__ for step in steps})))
        step = data.draw(st.sampled_from([step for step in steps if type(step).__name__ == kind]))

        shelf_source = ShelfSource(shelf, view.organization)
        report = asyncio.run(what_if(shelf_source, shelf_source, [step]))
        patch = view.apply(decode_change(event_of(step, history, next(numbers)).to_bytes()))
        shelf.write(patch)
        told = told_by_audit(patch)

        event(f"{kind}: {'tells of somebody' if any(one[2] for one in told.values()) else 'of nobody'}")
        assert told == told_by_report(report)
        assert blocks_one_by_one(report) == report.blocks()
        assert summary_by_answer(report) == read_summary(summarize(report, LIMITS).to_bytes())
