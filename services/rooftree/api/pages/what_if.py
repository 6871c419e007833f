"""
What-if: a change that nobody has made yet, and the decisions and accounts that it would touch.

The question is in the address, so an answer is shared by its link. A policy that was edited goes into the address too,
packed, since it is short as AWS takes policies.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from rooftree.api.backing import JobPool
from rooftree.api.callers import caller_of
from rooftree.api.forms import read_form
from rooftree.api.pages import phrases
from rooftree.api.pages.policies import lint_lines, pretty
from rooftree.api.pages.revision import ACCOUNTS_NAMED, ToldChange, told_change
from rooftree.api.pages.roster import GROUPS_SHOWN, People, told_people
from rooftree.api.pages.site import Crumb, Site, Visit
from rooftree.api.query import Query
from rooftree.errors import InputError
from rooftree.inquiry.jobs import Job, Suppose, SupposeSummary
from rooftree.inquiry.report_summary import ReportSummary, SummaryLimits, read_summary
from rooftree.inquiry.supposing import Attach, Detach, Move, Step, Update
from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.tree import Organization
from rooftree.policy.findings import Finding
from rooftree.policy.kinds import PolicyKind

__all__ = ["WhatIfPage", "pack", "unpack"]

KINDS: Final = (
    ("attach", "Attach a policy"),
    ("detach", "Detach a policy"),
    ("move", "Move an account"),
    ("update", "Edit a policy"),
)
LABELS: Final = {**dict(KINDS), "content": "Its text", "step": "Kind of change"}
"""What messages name, as the page calls it."""

FIELDS: Final = ("step", "policy", "target", "account", "parent", "content")
MAX_FORM_BYTES: Final = 128 * 1024
MAX_CONTENT: Final = 64 * 1024
"""Characters of a policy that are unpacked: more than AWS takes."""

LIMITS: Final = SummaryLimits(accounts=100, changes=25, named=ACCOUNTS_NAMED, groups=GROUPS_SHOWN)


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Something that a change can name.
    """

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Form:
    """
    The change as the form has it.

    Attributes:
        content: The text of the policy that is edited.
    """

    step: str
    policy: str
    target: str
    account: str
    parent: str
    content: str


@dataclass(frozen=True, slots=True)
class Touched:
    """
    An account that would decide otherwise.
    """

    name: str
    account_id: str
    address: str
    verdict: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What would become of the organization.

    Attributes:
        people: Users and roles; None where none of them is known.
        left_out: Accounts whose users and roles were not looked at.
    """

    summary: str
    compared: int
    counts: Sequence[tuple[tuple[str, str], int]]
    touched: Sequence[Touched]
    touched_more: int
    changes: Sequence[ToldChange]
    changes_more: int
    people: People | None
    left_out: int
    markdown: str
    link: str


@dataclass(frozen=True, slots=True)
class WhatIfView:
    """
    What the page shows.

    Attributes:
        kinds: The kinds of changes, each with its address and whether it is chosen.
        problem: What is wrong with the change; None where nothing is.
        findings: What lint says of the edited policy.
    """

    form: Form
    kinds: Sequence[tuple[str, str, bool]]
    policies: Sequence[Choice]
    editable: Sequence[Choice]
    units: Sequence[Choice]
    answer: Answer | None
    problem: str | None
    findings: Sequence[tuple[tuple[str, str], Finding]]
    lint: str


class WhatIfPage:
    """
    The page, its review as Markdown, and the lint of what is typed.
    """

    def __init__(self, site: Site, jobs: JobPool) -> None:
        self._site = site
        self._jobs = jobs

    async def show(self, request: Request) -> Response:
        """
        Show the form, and what would change if it names a change.
        """
        visit = await self._site.visit(request)
        form = form_of(Query(request, *FIELDS, "format"))
        markdown = request.query_params.get("format") == "markdown"
        # what is around the answer is read while another process works it out
        told, facts = await asyncio.gather(
            self._told(visit, step_of(form), markdown=markdown), visit.reader.frame(visit.organization_id)
        )
        if markdown and isinstance(told, bytes):
            return PlainTextResponse(told, media_type="text/markdown")
        frame = Organization(visit.organization_id, facts)
        answer = _answer(visit, form, read_summary(told), frame.names()) if isinstance(told, bytes) else None
        problem = phrases.problem(told, LABELS) if isinstance(told, InputError) else None
        view = _view(visit, frame, form, answer, problem)
        crumbs = [Crumb("What-if", visit.to.page("what-if"))]
        return self._site.show(
            visit,
            "what_if.html",
            view,
            section="what-if",
            title="What-if",
            crumbs=crumbs,
            status=400 if problem else 200,
        )

    async def take(self, request: Request) -> Response:
        """
        Take a policy that was edited, and lead to the address that holds it.
        """
        visit = await self._site.visit(request)
        given = await read_form(request, most=MAX_FORM_BYTES)
        # Browsers end lines as mail does; whoever reads the address shall find what was written.
        policy, content = given.get("policy", ""), given.get("content", "").replace("\r\n", "\n")
        return RedirectResponse(
            visit.to.page("what-if", step="update", policy=policy, content=pack(content)), status_code=303
        )

    async def lint(self, request: Request) -> Response:
        """
        Return what lint finds in a text, as it stands beside the editor.
        """
        visit = await self._site.visit(request)
        given = await read_form(request, most=MAX_FORM_BYTES)
        frame = Organization(visit.organization_id, await visit.reader.frame(visit.organization_id))
        kind = _kind(frame, given.get("policy_id", ""))
        findings = lint_lines(given.get("content", ""), kind)
        return self._site.bare(request, "findings.html", {"findings": findings})

    async def _told(self, visit: Visit, step: Step | None, *, markdown: bool) -> bytes | InputError | None:
        """
        Return what would become of the organization, what is wrong with the change, or nothing if there is none.
        """
        if step is None:
            return None
        job: Job = SupposeSummary(visit.organization_id, [step], LIMITS)
        if markdown:
            job = Suppose(visit.organization_id, [step], markdown=True)
        try:
            return await self._jobs.run(job, caller_of(visit.request).organizations)
        except InputError as error:
            return error


def form_of(query: Query) -> Form:
    """
    Read the change that an address names.

    Raises:
        InputError: The policy in it cannot be unpacked, or the kind of change is not known.
    """
    step = query.text("step") or "attach"
    if step not in dict(KINDS):
        raise InputError(f"expected {', '.join(f'`{name}`' for name, _ in KINDS)}", place="step")
    packed = query.text("content")
    return Form(
        step=step,
        policy=(query.text("policy") or "").strip(),
        target=(query.text("target") or "").strip(),
        account=(query.text("account") or "").strip(),
        parent=(query.text("parent") or "").strip(),
        content=unpack(packed) if packed else "",
    )


def step_of(form: Form) -> Step | None:
    """
    Return the change; None while something of it is not filled in.
    """
    match form.step:
        case "attach" if form.policy and form.target:
            return Attach(form.policy, form.target)
        case "detach" if form.policy and form.target:
            return Detach(form.policy, form.target)
        case "move" if form.account and form.parent:
            return Move(form.account, form.parent)
        case "update" if form.policy and form.content:
            return Update(form.policy, form.content, content_place="content")
        case _:
            return None


def pack(content: str) -> str:
    """
    Return a text as a short word for an address.
    """
    return base64.urlsafe_b64encode(zlib.compress(content.encode("utf-8", "replace"), 9)).decode().rstrip("=")


def unpack(word: str) -> str:
    """
    Return the text that was packed.

    Raises:
        InputError: It is none, or too long.
    """
    try:
        data = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(data, MAX_CONTENT)
        if unpacker.unconsumed_tail:
            raise InputError(f"longer than {MAX_CONTENT} characters", place="content")
        return text.decode()
    except (binascii.Error, ValueError, zlib.error):
        raise InputError("not a policy that this page has packed", place="content") from None


def _view(visit: Visit, frame: Organization, form: Form, answer: Answer | None, problem: str | None) -> WhatIfView:
    known = sorted(frame.policies(), key=lambda one: frame.name_of(one).casefold())
    root = frame.registers.root()
    units = sorted(frame.units(), key=lambda one: frame.name_of(one).casefold())
    held = _held(frame, form.policy)
    shown = form if form.content or held is None else _with_content(form, held)
    return WhatIfView(
        form=shown,
        kinds=[
            (words, visit.to.page("what-if", step=name, policy=form.policy), name == form.step) for name, words in KINDS
        ],
        policies=[Choice(one, frame.name_of(one)) for one in [*known, *BUILTIN_POLICIES]],
        editable=[Choice(one, frame.name_of(one)) for one in known],
        units=[*([Choice(root, "Root")] if root else []), *(Choice(one, frame.name_of(one)) for one in units)],
        answer=answer,
        problem=problem,
        findings=lint_lines(shown.content, _kind(frame, form.policy))
        if form.step == "update" and shown.content
        else [],
        lint=visit.to.page("lint"),
    )


def _answer(visit: Visit, form: Form, summary: ReportSummary, names: Mapping[str, str]) -> Answer:
    asked = {
        "step": form.step,
        "policy": form.policy,
        "target": form.target,
        "account": form.account,
        "parent": form.parent,
        "content": pack(form.content) if form.content else "",
    }
    return Answer(
        summary=(
            f"{summary.count:,} of {phrases.some(summary.compared, 'account')} would decide otherwise"
            if summary.count
            else f"No decision of {phrases.some(summary.compared, 'account')} would change"
        ),
        compared=summary.compared,
        counts=[
            (mark, summary.verdicts[name])
            for name in ("tightened", "loosened", "mixed")
            if name in summary.verdicts and (mark := phrases.verdict_mark(name)) is not None
        ],
        touched=[
            Touched(one.name, one.account_id, visit.to.account(one.account_id), phrases.verdict_mark(one.verdict))
            for one in summary.accounts
        ],
        touched_more=summary.count - len(summary.accounts),
        changes=[
            told_change(one.change, one.accounts, names, visit.to, (one.count, summary.count))
            for one in summary.changes
        ],
        changes_more=summary.change_count - len(summary.changes),
        people=told_people(summary.reach, summary.groups, summary.grouped_elsewhere),
        left_out=summary.left_out,
        markdown=visit.to.page("what-if", **asked, format="markdown"),
        link=visit.to.page("what-if", **asked),
    )


def _with_content(form: Form, content: str) -> Form:
    return Form(form.step, form.policy, form.target, form.account, form.parent, content)


def _held(frame: Organization, wanted: str) -> str | None:
    """
    Return the text of the policy that goes by an id or a name, laid out.
    """
    found = [one for one in frame.policies() if wanted in (one, frame.name_of(one))]
    return pretty(frame.registers.text(FactKind.POLICY, found[0], Attribute.CONTENT)) if len(found) == 1 else None


def _kind(frame: Organization, wanted: str) -> PolicyKind:
    found = [one for one in frame.policies() if wanted in (one, frame.name_of(one))]
    policy = frame.policy(found[0]) if found else None
    return AUTHORIZING_TYPES.get(policy.type if policy else "", PolicyKind.SERVICE_CONTROL)
