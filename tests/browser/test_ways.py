"""
Ways through the dashboard as people take them, by mouse and by key.
"""

from __future__ import annotations

import re

from playwright.async_api import Page, expect
from tests.browser.conftest import Dashboard
from tests.browser.test_every_page import DEMO, LARGE, SHOP


async def test_keys_lead_to_pages_and_to_the_search(page: Page, dashboard: Dashboard) -> None:
    """
    `g a` goes to the audit feed, `g o` back, `/` into the search, `?` shows the list of keys.
    """
    await page.goto(dashboard.url + DEMO)
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await page.wait_for_url(f"**{DEMO}/audit")
    await page.keyboard.press("g")
    await page.keyboard.press("o")
    await page.wait_for_url(f"**{DEMO}")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("878698083985")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{SHOP}")

    await expect(page.get_by_role("heading", level=1)).to_have_text("shop-test")


async def test_the_tree_leads_to_an_account_and_its_limits(page: Page, dashboard: Dashboard) -> None:
    """
    From the root to the unit, to the account, to one service and the conditions of its actions.
    """
    await page.goto(dashboard.url + DEMO)
    await page.get_by_role("link", name="NonProd", exact=True).first.click()
    await page.get_by_role("link", name="shop-test", exact=True).click()
    await expect(page.get_by_role("heading", name="From the root down")).to_be_visible()
    await page.get_by_role("navigation", name="Account").get_by_role("link", name="Services").click()
    await page.get_by_label("Service", exact=True).fill("kms")
    await page.get_by_role("button", name="Filter").click()
    await page.get_by_role("link", name="kms", exact=True).click()

    await expect(page.get_by_role("rowheader", name="kms:Decrypt", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="condition 1").first).to_be_visible()


async def test_history_shows_the_state_at_any_moment(page: Page, dashboard: Dashboard) -> None:
    """
    CloseAmazonQ came last, so before it Amazon Q was not denied outright.
    """
    await page.goto(f"{dashboard.url}{SHOP}/services/q")
    await expect(page.get_by_text("54 denied")).to_be_visible()
    await page.goto(f"{dashboard.url}{SHOP}/history")
    await page.get_by_label("State at (UTC)").fill("2026-10-20T00:00")
    await page.get_by_role("button", name="Look").click()
    await expect(page.get_by_text("You are looking at")).to_be_visible()
    await page.get_by_role("navigation", name="Account").get_by_role("link", name="Services").click()
    await page.get_by_role("link", name="q", exact=True).click()

    await expect(page.get_by_text("54 conditional")).to_be_visible()
    await page.get_by_role("link", name="Back to now").click()
    await expect(page.get_by_text("You are looking at")).to_have_count(0)


async def test_an_example_of_a_change_is_checked_by_one_click(page: Page, dashboard: Dashboard) -> None:
    """
    The witness of an audit event leads to the decision as it is now, with the path that it takes.
    """
    await page.goto(f"{dashboard.url}{DEMO}/audit/15")
    await page.get_by_role("link", name="check this request now").first.click()

    await expect(page.get_by_text("Denied by a statement")).to_be_visible()
    await expect(page.get_by_role("link", name="CloseAmazonQ").first).to_be_visible()


async def test_light_and_dark_are_chosen_and_kept(page: Page, dashboard: Dashboard) -> None:
    """
    The switch leads back to the same page.
    """
    await page.goto(f"{dashboard.url}{DEMO}/audit?service=iam")
    await page.get_by_role("link", name="Dark theme").click()
    await expect(page).to_have_url(re.compile(r"/audit\?service=iam$"))
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.goto(dashboard.url + DEMO)
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("link", name="As the system theme").click()
    await expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")


async def test_the_large_organization_is_folded_and_comes_in_pages(page: Page, dashboard: Dashboard) -> None:
    """
    Whatever its size: the tree shows one level, a node its accounts in pages, the search finds the rest.
    """
    await page.goto(dashboard.url + LARGE)
    await page.get_by_role("link", name="Workloads", exact=True).click()
    await page.get_by_role("link", name="Line 00", exact=True).click()
    await page.get_by_role("link", name="Prod", exact=True).first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Prod")
    await page.get_by_role("link", name="Team 00-Prod-0", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Team 00-Prod-0")
    await page.get_by_label("Search accounts, units and policies").fill("app-00123")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("link", name="app-00123", exact=True)).to_be_visible()
