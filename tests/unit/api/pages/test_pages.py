"""
The pages as their markup: what stands on them, where links lead, and how errors look.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.api.fake_reader import ORGANIZATION, START, FakeReader, account, event
from tests.unit.api.test_app import ROUND, WATCHED, asked, browse, stored

from rooftree.organization.probes import Finding
from rooftree.reading.reader import LetterRecord

HOME = f"/{ORGANIZATION}"
ONE = f"{HOME}/accounts/000000000001"
PAGES = [
    HOME,
    f"{HOME}/nodes/ou-ab12-aaaaaaaa",
    f"{HOME}/nodes/unplaced",
    f"{HOME}/search?q=account",
    ONE,
    f"{ONE}?at=2026-02-01T00:00",
    f"{ONE}/services",
    f"{ONE}/services/ec2",
    f"{ONE}/history",
    f"{ONE}/principals",
    f"{HOME}/audit",
    f"{HOME}/audit?direction=denied&verdict=tightened&service=ec2&since=2026-01-01",
    f"{HOME}/audit/2",
    f"{HOME}/audit/2?part=1",
    f"{HOME}/check",
    f"{HOME}/check?account=account&action=s3:GetObject",
    f"{HOME}/check?account=account-1&action=s3:GetObject&context=aws:RequestedRegion%3Deu-west-1",
    f"{HOME}/what-if",
    f"{HOME}/what-if?step=move",
    f"{HOME}/what-if?step=update&policy=p-denyregions",
    f"{HOME}/who-can",
    f"{HOME}/operations",
    f"{HOME}/policies",
    f"{HOME}/policies/p-denyregions",
]


def letter(number: int, *, resolved: bool) -> LetterRecord:
    """
    Return a dead letter.
    """
    return LetterRecord(
        organization_id=ORGANIZATION,
        letter_id=number,
        log_id="log",
        topic="changes",
        partition=0,
        offset=number,
        record_time=START,
        size=2,
        reason="expected an object",
        place="data",
        disposition="refused",
        error_class="ChangeError",
        software_version="1.0",
        recorded_at=START,
        attempts=0,
        attempted_at=None,
        resolved_at=START if resolved else None,
        resolution="replayed" if resolved else None,
    )


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_whole_and_holds_nothing_that_the_browser_would_refuse(path: str) -> None:
    """
    One heading, a title, and neither scripts nor styles in the markup: the policy of the page forbids them.
    """
    async with browse(stored()) as client:
        page = await client.get(path)

    assert 200 == page.status_code
    assert 1 == page.text.count("<h1")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page.text))
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", PAGES)
async def test_no_link_leads_astray(path: str) -> None:
    """
    Whatever a page links to within the dashboard is there.
    """
    async with browse(stored()) as client:
        page = (await client.get(path)).text
        links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)', page)}
        answers = {link: (await client.get(link)).status_code for link in links if not link.startswith("/api/")}

    assert answers
    assert {} == {link: status for link, status in answers.items() if status not in (200, 303)}


async def test_what_is_to_be_read_anew_is_told_with_its_reason() -> None:
    """
    Nothing is said where there is nothing, and more than fits is told of.
    """
    some = FakeReader(asked=[asked(f"{number:012}", hours=number) for number in range(25)])
    async with browse(some) as client:
        told = (await client.get(f"{HOME}/operations")).text
    async with browse(stored()) as client:
        none = (await client.get(f"{HOME}/operations")).text

    assert 20 == told.count("its name was masked")
    assert "There are more" in told
    assert "To be read anew" not in none


async def test_operations_leave_no_column_empty_where_nothing_was_found() -> None:
    """
    A comparison that found nothing found none, and what was not verified yet has a dash.
    """
    quiet = FakeReader(rounds=[replace(ROUND, found=0, by_kind={}, differences=[])])
    async with browse(quiet) as client:
        page = (await client.get(f"{HOME}/operations")).text

    assert '<td class="number" data-lead="found">0</td>' in page
    assert 2 == page.count('<td class="none">–</td></tr>')


async def test_letters_that_wait_are_shown_however_many_are_resolved() -> None:
    """
    They are what the page is for, and all of them are counted.
    """
    letters = [letter(number, resolved=number <= 60) for number in range(1, 63)]
    async with browse(stored(), letters=letters) as client:
        page = (await client.get(f"{HOME}/operations")).text

    assert ["62", "61", "60"] == re.findall(r'<th scope="row" class="nowrap">(\d+)<', page)[:3]
    assert 2 == page.count("Replay<span")
    assert re.search(r"<dt>Dead letters</dt><dd class=.value.>2</dd>", page)


async def test_what_is_exported_has_the_times_of_the_filter_in_full() -> None:
    """
    A day or a minute, as forms give them, is no time to the API.
    """
    async with browse(stored()) as client:
        page = (await client.get(f"{HOME}/audit?since=2026-01-01&until=2026-01-02T12:30")).text
        exported = re.findall(r'href="(/api/v1/audit/export[^"]*)"', page)
        answers = [(await client.get(html.unescape(link))).status_code for link in exported]

    assert 2 == len(exported)
    assert all("since=2026-01-01T00%3A00%3A00Z&amp;until=2026-01-02T12%3A30%3A00Z" in link for link in exported)
    assert [200, 200] == answers


async def test_what_limits_an_account_leaves_no_half_of_the_page_empty() -> None:
    """
    Its latest changes stand below the shorter of both lists, and once in any case.
    """
    async with browse(stored()) as client:
        page = (await client.get(ONE)).text

    assert 1 == page.count('id="changes"')


async def test_the_feed_tells_what_changed_by_whose_hand_and_where() -> None:
    """
    One change is told once, however many accounts it touches.
    """
    async with browse(stored()) as client:
        page = (await client.get(f"{HOME}/audit")).text

    assert "DenyRegions attached to Workloads" in page
    assert 'by <span title="arn:aws:iam::1:role/admin">admin</span>' in page
    assert 2 == page.count("data-revision=")
    assert "Now denied" in page


async def test_a_change_is_told_with_its_example_and_what_decides_it_on_both_sides() -> None:
    """
    The page of one change says which request, for example, and because of which statement.
    """
    async with browse(stored()) as client:
        page = (await client.get(f"{HOME}/audit/1")).text

    assert "ec2:RunInstances" in page
    assert re.search(r"Denied by</span><p[^>]*>DenyRegions \(Regions\) on Workloads<", page)
    assert "may do less than before" in page


@pytest.mark.parametrize(
    ("alone", "said"),
    [
        ({}, False),
        ({"exact": False}, True),
        ({"exact": False, "unless": [{"policy_id": "p-2", "statement": "Old", "target_id": "r-ab12"}]}, False),
    ],
    ids=["exact", "more than is so", "exact by what it excepts"],
)
async def test_a_change_is_said_to_be_inexact_only_where_its_words_are(alone: dict[str, object], *, said: bool) -> None:
    """
    A change with exceptions is marked for those who read its patterns alone; the page tells the exceptions.
    """
    one = event(1)
    [change] = one.data["changes"]  # type: ignore[misc]
    reader = stored()
    reader.events = [replace(one, data={**one.data, "changes": [{**change, **alone}]})]
    async with browse(reader) as client:
        page = (await client.get(f"{HOME}/audit/1")).text

    assert said == ("not exactly" in page)
    assert ("unless" in alone) == ("Except what" in page)


async def test_an_event_that_fits_no_seal_is_said_to_be_altered() -> None:
    """
    The record is not believed: it is worked out anew.
    """
    async with browse(stored()) as client:
        page = (await client.get(f"{HOME}/audit/1")).text

    assert "Broken" in page
    assert "part 1" in page


async def test_names_from_outside_are_text_on_the_page() -> None:
    """
    An account may be called anything; the page shows it and does not run it.
    """
    reader = FakeReader(accounts=[account(1, name="<script>alert(1)</script>")], events=[event(1)])
    async with browse(reader) as client:
        pages = [(await client.get(path)).text for path in (f"{HOME}/nodes/ou-ab12-aaaaaaaa", ONE, f"{HOME}/audit")]

    assert not any("<script>" in page for page in pages)
    assert "&lt;script&gt;alert(1)" in pages[0]
    assert "&lt;script&gt;alert(1)" in pages[1]
    assert "shop &lt;prod&gt;" in pages[2]


async def test_an_incomplete_view_is_said_to_be_incomplete_on_every_page() -> None:
    """
    A view that misses something never looks whole.
    """
    reader = FakeReader(accounts=[account(1)], events=[event(1)], incomplete_since=START + timedelta(days=1))
    async with browse(reader) as client:
        pages = [(await client.get(path)).text for path in (HOME, ONE, f"{HOME}/audit", f"{HOME}/policies")]

    assert all("A change could not be read. What is shown may be wrong" in page for page in pages)


async def test_a_change_that_came_late_names_the_one_that_it_came_after() -> None:
    """
    The feed is in the order in which changes were told: where times go backwards it says why, and so does the change.
    """
    late = replace(event(2), time=START)
    async with browse(FakeReader(accounts=[account(1)], events=[event(1), late, event(3)])) as client:
        feed, own, other = [(await client.get(f"{HOME}/audit{path}")).text for path in ("", "/2", "/3")]

    assert 1 == feed.count(f'Came late: it happened before <a href="{HOME}/audit/1">change 1</a>')
    assert f'This came late: it happened before <a href="{HOME}/audit/1">change 1</a>' in own
    assert "came late" not in other


async def test_a_change_speaks_in_the_names_of_its_time() -> None:
    """
    Its decisions and its accounts name the unit as its title does, and say what it is called now.
    """
    told = event(1)
    cause = {"summary": "DenyRegions attached to Staging", "names": {"ou-ab12-aaaaaaaa": "Staging"}}
    renamed = replace(told, data={**told.data, "cause": cause, "path": ["r-ab12", "ou-ab12-aaaaaaaa", "000000000001"]})
    async with browse(FakeReader(accounts=[account(1)], events=[renamed])) as client:
        page = (await client.get(f"{HOME}/audit/1")).text

    assert "DenyRegions (Regions) on Staging (now Workloads)" in page
    assert "<td>Staging (now Workloads)</td>" in page


async def test_an_event_about_the_organization_begins_as_a_sentence() -> None:
    """
    Its title says what it is; the names with which other titles begin stay as they are.
    """
    told = {"cause": {"summary": "an event was refused: `data.parent_id` is missing"}}
    incomplete = replace(event(1), type="rooftree.organization.incomplete.v1", account_id=None, verdict=None, data=told)
    async with browse(FakeReader(accounts=[account(1)], events=[incomplete])) as client:
        page = (await client.get(f"{HOME}/audit/1")).text

    assert "<h1>An event was refused: <code>data.parent_id</code> is missing</h1>" in page


async def test_refused_filters_leave_the_form_as_it_was_filled_in() -> None:
    """
    What is wrong stands above it, and nothing that was not asked for below.
    """
    async with browse(stored()) as client:
        page = await client.get(f"{HOME}/audit?account_id=abc&service=ec2")

    assert 400 == page.status_code
    assert "Account: expected 12 digits" in page.text
    assert 'value="abc"' in page.text
    assert 'value="ec2"' in page.text
    assert "data-revision" not in page.text


async def test_probes_that_are_not_as_expected_stand_above_the_tree() -> None:
    """
    Bad news first; good news in one word.
    """
    async with browse(FakeReader(probes=[WATCHED])) as client:
        bad = (await client.get(HOME)).text
    fine = replace(WATCHED, finding=Finding("implicit_deny"), as_expected=True)
    async with browse(FakeReader(probes=[fine])) as client:
        good = (await client.get(HOME)).text

    assert "organizations:LeaveOrganization on * by anonymous" in bad
    assert bad.index("Probes that are not as expected") < bad.index(">Tree<")
    assert "Probes that are not as expected" not in good
    assert "all as expected" in good


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/o-otherorg00", 404, "no organization `o-otherorg00`"),
        (f"{HOME}/nodes/ou-ab12-bbbbbbbb", 404, "no root or organizational unit `ou-ab12-bbbbbbbb`"),
        (f"{HOME}/accounts/999999999998", 404, "no account `999999999998`"),
        (f"{HOME}/accounts/12", 400, "account: expected 12 digits"),
        (f"{ONE}?at=yesterday", 400, "at: expected an RFC 3339 time"),
        (f"{ONE}?colour=red", 400, "colour: unknown parameter"),
        (f"{ONE}/services/nosuch", 404, "no service `nosuch` is known"),
        (f"{HOME}/audit/999", 404, "no change `999`"),
        (f"{HOME}/audit/first", 400, "change: expected a number"),
        (f"{HOME}/audit?direction=up", 400, "Now: expected `allowed` or `denied`"),
        (f"{HOME}/audit?verdict=up", 400, "Limits: expected `tightened`, `loosened` or `mixed`"),
        (f"{HOME}/audit?before=x", 400, "cursor: not a cursor"),
        (f"{HOME}/policies/p-nosuchpolicy", 404, "no policy `p-nosuchpolicy`"),
        ("/theme?to=pink", 400, "to: expected `light`, `dark` or `auto`"),
        ("/assets/app.py", 404, ""),
        ("/nothing/at/all", 404, "nothing is at `/nothing/at/all`"),
        (f"{HOME}/check?account=000000000001&action=s3:*", 400, "Action: expected one action"),
        (f"{HOME}/check?account=nobody&action=s3:GetObject", 400, "Account: no account goes by `nobody`"),
        (
            f"{HOME}/check?account=000000000001&action=s3:GetObject&context=x",
            400,
            "Context, line 1: expected `KEY=VALUE`",
        ),
    ],
)
async def test_errors_are_pages_that_say_what_was_expected(path: str, status: int, reason: str) -> None:
    """
    Bad input gets one clear sentence and a way on, not a traceback and not JSON.
    """
    async with browse(stored()) as client:
        page = await client.get(path)

    assert status == page.status_code
    assert reason.replace("`", "") in html.unescape(page.text.replace("<code>", "").replace("</code>", ""))


async def test_a_database_that_is_away_is_a_page_with_a_time_to_come_back() -> None:
    """
    People see what is wrong, too.
    """
    async with browse(FakeReader(away=True)) as client:
        page = await client.get(HOME)

    assert (503, "5") == (page.status_code, page.headers["retry-after"])
    assert "No answer just now" in page.text


@pytest.mark.parametrize(
    ("back", "target"),
    [
        ("/o-exampleorg/audit?service=s3", "/o-exampleorg/audit?service=s3"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/%0d%0aset-cookie:x=y", "/"),
    ],
)
async def test_the_switch_of_colours_leads_back_and_nowhere_else(back: str, target: str) -> None:
    """
    The way back is a path on this host.
    """
    async with browse(stored()) as client:
        answer = await client.get(f"/theme?to=dark&back={back.replace('?', '%3F').replace('=', '%3D')}")
        page = (await client.get(HOME)).text

    assert (303, target) == (answer.status_code, answer.headers["location"])
    assert 'data-theme="dark"' in page


async def test_an_id_leads_straight_to_what_it_names() -> None:
    """
    Who has an id need not look at a list of one.
    """
    async with browse(stored()) as client:
        found = [
            (await client.get(f"{HOME}/search", params={"q": wanted})).headers.get("location")
            for wanted in ("000000000001", "ou-ab12-aaaaaaaa", "p-1", "account")
        ]

    assert [ONE, f"{HOME}/nodes/ou-ab12-aaaaaaaa", f"{HOME}/policies/p-1", None] == found


async def test_accounts_of_a_node_come_in_pages() -> None:
    """
    No page loads all accounts; following the links shows each of them once.
    """
    reader = FakeReader(accounts=[account(number) for number in range(1, 121)])
    seen: list[str] = []
    path: str | None = f"{HOME}/nodes/ou-ab12-aaaaaaaa"
    async with browse(reader) as client:
        while path:
            page = (await client.get(path)).text
            seen += re.findall(r'<td class="id">(\d{12})</td>', page)
            following = re.search(r'href="([^"]*)">Next accounts', page)
            path = following[1].replace("&amp;", "&") if following else None

    assert [f"{number:012}" for number in range(1, 121)] == sorted(seen)
    assert 120 == len(seen)
