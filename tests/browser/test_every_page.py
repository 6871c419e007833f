"""
Every page in a real browser: nothing is refused or missing, everybody can read it, and it fits a phone.
"""

from __future__ import annotations

from typing import Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect
from tests.browser.conftest import Dashboard

DEMO: Final = "/o-demorooftree"
LARGE: Final = "/o-enterprise0"
SHOP: Final = f"{DEMO}/accounts/878698083985"
APP: Final = f"{LARGE}/accounts/700000791900"

PAGES: Final = {
    "organizations": "/",
    "organization": DEMO,
    "unit": f"{DEMO}/nodes/ou-demo-wlnonpro",
    "account": SHOP,
    "account in the past": f"{SHOP}?at=2026-10-01T00:00",
    "services": f"{SHOP}/services?q=s3",
    "service": f"{SHOP}/services/s3",
    "history": f"{SHOP}/history",
    "principals": f"{SHOP}/principals",
    "audit": f"{DEMO}/audit",
    "audit, filtered": f"{DEMO}/audit?service=iam&direction=denied",
    "change": f"{DEMO}/audit/12",
    "change of one account": f"{DEMO}/audit/15?part=3",
    "policies": f"{DEMO}/policies",
    "policy": f"{DEMO}/policies/p-regionsgu",
    "check": f"{DEMO}/check?account=shop-test&action=q:SendMessage&context=aws:RequestedRegion%3Deu-west-1",
    "search": f"{DEMO}/search?q=shop",
    "large organization": LARGE,
    "large audit": f"{LARGE}/audit",
    "large change": f"{LARGE}/audit/2?after=150",
    "account of the large organization": APP,
}

RULES: Final = {"light": None, "dark": {"runOnly": ["color-contrast"]}}
"""What is looked for: all, and in the dark what is another than in the light."""


@pytest.mark.parametrize("scheme", list(RULES))
async def test_no_page_has_what_axe_objects_to(
    browser: Browser, session: object, dashboard: Dashboard, scheme: str
) -> None:
    """
    WCAG, in both colour schemes, and a console without an error: the policy of the pages lets all of them work.
    """
    context = await browser.new_context(storage_state=session, color_scheme=scheme)  # type: ignore[arg-type]
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    found = {}
    for name, path in PAGES.items():
        answer = await page.goto(dashboard.url + path)
        assert answer is not None
        assert 200 == answer.status, name
        violations = (await Axe().run(page, options=RULES[scheme])).response["violations"]
        found[name] = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in violations] + said
        said.clear()
    await context.close()

    assert {} == {name: faults for name, faults in found.items() if faults}


async def test_every_page_fits_a_phone(browser: Browser, session: object, dashboard: Dashboard) -> None:
    """
    Nothing is wider than the screen, but for tables that scroll by themselves.
    """
    context = await browser.new_context(storage_state=session, viewport={"width": 390, "height": 844})  # type: ignore[arg-type]
    page = await context.new_page()
    wide = {}
    for name, path in PAGES.items():
        await page.goto(dashboard.url + path)
        over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wide[name] = over
    await context.close()

    assert {} == wide


async def test_pages_say_all_of_it_without_scripts(browser: Browser, session: object, dashboard: Dashboard) -> None:
    """
    Only what is live needs scripts.
    """
    context = await browser.new_context(storage_state=session, java_script_enabled=False)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{dashboard.url}{DEMO}/audit")
    await page.get_by_label("Now", exact=True).select_option("allowed")
    await page.get_by_role("button", name="Filter").click()
    await page.get_by_role("link", name="data-lake-prod moved from Prod to Data").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("data-lake-prod moved from Prod to Data")
    await expect(page.get_by_text("Whole", exact=True)).to_be_visible()
    await context.close()


async def test_strangers_see_the_login_and_the_token_opens_it(context: BrowserContext, dashboard: Dashboard) -> None:
    """
    Logging out ends the session.
    """
    page: Page = await context.new_page()
    await page.goto(dashboard.url + DEMO)
    await context.clear_cookies()
    await page.goto(dashboard.url + DEMO)

    assert page.url.endswith("/login")
    assert not (await Axe().run(page)).response["violations"]
