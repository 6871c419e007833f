"""
What people ask before they act, and what they do about what went wrong, each as they do it in the browser.
"""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect
from pydantic import SecretStr
from tests.browser.conftest import Dashboard
from tests.browser.test_every_page import DEMO
from tests.integration.service import ORGANIZATION, event, publish, snapshot, stored

from rooftree.demo.organization import ORGANIZATION_ID, POLICY_IDS, UNIT_IDS
from rooftree.settings import Settings


async def test_what_if_tells_of_a_change_that_nobody_has_made(page: Page, dashboard: Dashboard) -> None:
    """
    The answer is in the address, so its link says the same to somebody else; the review is Markdown.
    """
    await page.goto(f"{dashboard.url}{DEMO}/what-if")
    await page.get_by_label("Policy", exact=True).select_option("CloseAmazonQ")
    await page.get_by_label("To", exact=True).fill("Security")
    await page.get_by_role("button", name="Show what would change").click()
    answer = page.get_by_role("heading", level=2, name="accounts would decide otherwise")
    said = await answer.text_content()
    await page.goto(page.url)
    await expect(answer).to_have_text(said or "")
    await expect(page.get_by_text("Tightened").first).to_be_visible()
    review = await page.get_by_role("link", name="Review as Markdown").get_attribute("href")
    markdown = await page.request.get(f"{dashboard.url}{review}")

    assert markdown.headers["content-type"].startswith("text/markdown")
    assert "3 of 57 accounts decide differently" in await markdown.text()


async def test_what_if_says_what_is_wrong_with_a_change(page: Page, dashboard: Dashboard) -> None:
    """
    A name that nothing has is said beside the form, which keeps what was typed.
    """
    await page.goto(f"{dashboard.url}{DEMO}/what-if?step=move")
    await page.get_by_label("Account", exact=True).fill("nobodys-account")
    await page.get_by_label("Under", exact=True).select_option("Sandbox")
    await page.get_by_role("button", name="Show what would change").click()

    await expect(page.get_by_role("alert").filter(has_text="nobodys-account")).to_be_visible()
    await expect(page.get_by_label("Account", exact=True)).to_have_value("nobodys-account")


async def test_the_editor_lints_while_one_types_and_shows_what_an_edit_does(page: Page, dashboard: Dashboard) -> None:
    """
    A slip is said before anything is sent; put right, the edit shows whom it reaches.
    """
    await page.goto(f"{dashboard.url}{DEMO}/what-if?step=update")
    await page.get_by_label("Policy", exact=True).select_option("CloseAmazonQ")
    await page.get_by_role("button", name="Open its text").click()
    editor = page.get_by_role("textbox", name="Its text, as it would be")
    findings = page.locator("[data-findings]")
    held = await editor.input_value()
    await editor.fill(held.replace('"Deny"', '"Dney"'))
    await expect(findings.get_by_text("Error")).to_be_visible()
    await editor.fill(held.replace('"q:*"', '"q:*", "s3:DeleteBucket"'))
    await expect(findings.get_by_text("Error")).to_have_count(0)
    await page.get_by_role("button", name="Show what would change").click()

    await expect(page.get_by_role("heading", level=2, name="accounts would decide otherwise")).to_be_visible()
    await expect(page.get_by_text("s3:DeleteBucket").first).to_be_visible()
    assert "s3:DeleteBucket" in await editor.input_value()


async def test_who_can_names_accounts_and_leads_to_the_reason(page: Page, dashboard: Dashboard) -> None:
    """
    From the list to the path of one account's decision by one click.
    """
    await page.goto(f"{dashboard.url}{DEMO}/check")
    await page.get_by_role("link", name="Who can").click()
    await page.get_by_label("Action", exact=True).fill("q:SendMessage")
    await page.get_by_label("Context", exact=True).fill("aws:RequestedRegion=eu-west-1")
    await page.get_by_role("button", name="Ask").click()
    await expect(page.get_by_role("heading", level=2, name="of 57 accounts")).to_be_visible()
    await expect(page.get_by_role("rowheader", name="shop-test", exact=True)).to_have_count(0)
    await page.get_by_role("link", name="Why").first.click()

    await expect(page.get_by_text("Allowed", exact=False).first).to_be_visible()
    await expect(page.get_by_label("Action", exact=True)).to_have_value("q:SendMessage")


async def test_check_draws_the_path_of_a_decision(page: Page, dashboard: Dashboard) -> None:
    """
    A name that several accounts have in them leads to a choice, the choice to the answer.
    """
    await page.goto(f"{dashboard.url}{DEMO}/check")
    await page.get_by_label("Account", exact=True).fill("shop")
    await page.get_by_label("Action", exact=True).fill("q:SendMessage")
    await page.get_by_role("button", name="Check").click()
    await page.get_by_role("main").get_by_role("link", name="shop-test").click()

    await expect(page.get_by_text("Denied by a statement")).to_be_visible()
    await expect(page.get_by_role("link", name="CloseAmazonQ").first).to_be_visible()
    await expect(page.get_by_text("No statement here denies it").first).to_be_visible()


async def test_a_dead_letter_is_replayed_by_a_click(page: Page, dashboard: Dashboard) -> None:
    """
    What could not be read waits and marks every page of its organization; its replay comes through the broker.

    The letter is one that an older version has parked: its bytes become readable by hand.
    """
    settings = settings_of(dashboard)
    renamed = event("rename", "ou.renamed", "2026-01-03T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="Production")
    await publish(settings, snapshot(), b'{"unreadable": 0}')
    operations = f"{dashboard.url}/{ORGANIZATION}/operations"
    replay = page.get_by_role("button", name="Replay letter")
    await reload_until(page, operations, replay)
    await expect(page.get_by_role("alert")).to_contain_text("Incomplete since")
    await stored(
        settings, "update rooftree.dead_letter set value = $2 where organization_id = $1", ORGANIZATION, renamed
    )
    await replay.click()
    await expect(page.get_by_role("status")).to_contain_text("was sent to be processed again")
    await reload_until(page, operations, page.get_by_text("Replayed", exact=True))

    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(replay).to_have_count(0)
    await page.goto(f"{dashboard.url}/{ORGANIZATION}")
    await expect(page.get_by_role("link", name="Production", exact=True).first).to_be_visible()


async def test_the_feed_shows_what_happens_and_waits_while_paused(page: Page, dashboard: Dashboard) -> None:
    """
    A change that comes in stands on top without a reload; after `Pause` it is only counted, until asked for.
    """
    settings, security = settings_of(dashboard), UNIT_IDS["Security"]
    await page.goto(f"{dashboard.url}{DEMO}/audit")
    await expect(page.get_by_role("status")).to_have_text("Live")
    rows = page.locator("[data-revision]")
    before = await rows.count()
    await publish(
        settings, of_amazon_q("live-1", "policy.attached", "2026-11-01T00:00:00Z", security), key=ORGANIZATION_ID
    )
    await expect(rows).to_have_count(before + 1)
    await expect(rows.first).to_contain_text("CloseAmazonQ")

    await page.get_by_role("button", name="Pause").click()
    await publish(
        settings, of_amazon_q("live-2", "policy.detached", "2026-11-02T00:00:00Z", security), key=ORGANIZATION_ID
    )
    counted = page.get_by_role("button", name="1 new change")
    await expect(counted).to_be_visible()
    assert before + 1 == await rows.count()
    await counted.click()
    await expect(rows).to_have_count(before + 2)
    await expect(counted).to_have_count(0)


def settings_of(dashboard: Dashboard) -> Settings:
    """
    Return what leads to the servers of the dashboard.
    """
    return Settings(
        kafka_bootstrap=dashboard.kafka, kafka_idempotence=False, postgres_dsn=SecretStr(dashboard.postgres)
    )


def of_amazon_q(identifier: str, kind: str, time: str, target_id: str) -> bytes:
    """
    Return a change of where CloseAmazonQ hangs.
    """
    return event(
        identifier,
        kind,
        time,
        organization_id=ORGANIZATION_ID,
        policy_id=POLICY_IDS["CloseAmazonQ"],
        target_id=target_id,
    )


async def reload_until(page: Page, address: str, wanted: Locator) -> None:
    """
    Open a page again and again until it shows something; the test fails if it never does.
    """
    for _ in range(100):
        await page.goto(address)
        if await wanted.count():
            return
        await page.wait_for_timeout(200)
    await expect(wanted).to_be_visible()
