"""
Pages without a mouse: everything is reached in the order in which it stands, and the eye can follow.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Dashboard
from tests.browser.test_every_page import DEMO, PAGES

STOPS = 400
"""Presses of Tab after which a page counts as one that nobody gets through."""

WALKED = [
    "organization",
    "unit",
    "account",
    "history",
    "principals",
    "audit",
    "change",
    "policies",
    "policy",
    "check",
    "who can",
    "what-if",
    "editor",
    "operations",
]

STOP = """
() => {
  const here = document.activeElement;
  window.stops ??= new Set();
  // after its end, the browser begins anew at the top or leaves the page
  if (here === document.body || (window.stops.size > 1 && here === [...window.stops][0])) return null;
  const outlined = (one) => getComputedStyle(one).outlineStyle !== "none" && parseFloat(getComputedStyle(one).outlineWidth) >= 2;
  const box = here.getClientRects()[0];
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 8), 0), innerHeight - 1);
  const above = document.elementFromPoint(x, y);
  const last = window.lastStop;
  const faults = [];
  if (last && last !== here && !(last.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING)) faults.push("leads back");
  if (!outlined(here) && !(here.closest(".source") && outlined(here.closest(".source")))) faults.push("without an outline");
  if (box.bottom <= 0 || box.top >= innerHeight) faults.push("out of sight");
  else if (!here.contains(above) && !above.contains(here)) faults.push("covered");
  window.lastStop = here;
  window.stops.add(here);
  return faults.map((fault) => `${fault}: ${here.outerHTML.slice(0, 120)}`);
}
"""

MISSED = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => one.type !== "hidden" && one.tabIndex >= 0 && one.checkVisibility() && !window.stops.has(one))
  .map((one) => one.outerHTML.slice(0, 120))
"""


@pytest.mark.parametrize("name", WALKED)
async def test_tab_leads_through_all_of_a_page_in_order_and_the_focus_is_seen(
    name: str, page: Page, dashboard: Dashboard
) -> None:
    """
    Each stop comes after the one before, has an outline, and nothing lies over it; nothing is left out.
    """
    await page.goto(dashboard.url + PAGES[name])
    faults = []
    for _ in range(STOPS):
        await page.keyboard.press("Tab")
        told = await page.evaluate(STOP)
        if told is None:
            break
        faults += told

    assert [] == faults
    assert [] == await page.evaluate(MISSED)


async def test_the_skip_link_leads_past_the_navigation(page: Page, dashboard: Dashboard) -> None:
    """
    Tab, Enter, Tab: the focus is in the content.
    """
    await page.goto(f"{dashboard.url}{DEMO}/audit")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")

    assert await page.evaluate("document.querySelector('main').contains(document.activeElement)")


async def test_a_branch_of_the_tree_is_folded_by_key(page: Page, dashboard: Dashboard) -> None:
    """
    Enter and Space fold and unfold it; Escape closes the menu of organizations.
    """
    await page.goto(dashboard.url + DEMO)
    branch = page.locator("summary").filter(has_text="Units of Workloads")
    below = page.get_by_role("link", name="NonProd", exact=True).first
    await branch.focus()
    await page.keyboard.press("Enter")
    await expect(below).to_be_hidden()
    await page.keyboard.press("Space")
    await expect(below).to_be_visible()

    menu = page.locator("[data-menu] summary")
    await menu.focus()
    await page.keyboard.press("Enter")
    other = page.get_by_role("link", name="o-enterprise0")
    await expect(other).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(other).to_be_hidden()
