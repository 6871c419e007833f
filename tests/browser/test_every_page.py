"""
Every page in a real browser: nothing is refused or missing, everybody can read it, and it fits a phone.
"""

from __future__ import annotations

from typing import Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect
from tests.browser.conftest import Dashboard

DEMO: Final = "/o-demorooftree"
LARGE: Final = "/o-enterprise0"
SHOP: Final = f"{DEMO}/accounts/878698083985"

LAPTOP: Final[ViewportSize] = {"width": 1366, "height": 860}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}

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
    "change": f"{DEMO}/audit/12",
    "change of one account": f"{DEMO}/audit/15?part=3",
    "policies": f"{DEMO}/policies",
    "policy": f"{DEMO}/policies/p-regionsgu",
    "check": f"{DEMO}/check?account=shop-test&action=q:SendMessage&context=aws:RequestedRegion%3Deu-west-1",
    "search": f"{DEMO}/search?q=shop",
    "who can": f"{DEMO}/who-can?action=q:SendMessage&context=aws:RequestedRegion%3Deu-west-1",
    "what-if": f"{DEMO}/what-if?step=attach&policy=CloseAmazonQ&target=Security",
    "editor": f"{DEMO}/what-if?step=update&policy=p-regionsgu",
    "operations": f"{DEMO}/operations",
    "large organization": LARGE,
    "large change": f"{LARGE}/audit/2?after=150",
}

CONTRAST: Final = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
"""What is looked for in the dark: only colours are others than in the light."""

WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def test_every_page_is_for_everybody_and_fits_a_phone(
    browser: Browser, session: object, dashboard: Dashboard
) -> None:
    """
    WCAG in both colour schemes, no error on the console, and nothing wider than a phone but tables that scroll.
    """
    context = await browser.new_context(storage_state=session, reduced_motion="reduce")  # type: ignore[arg-type]
    page = await context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    found = {}
    for name, path in PAGES.items():
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size(LAPTOP)
        answer = await page.goto(dashboard.url + path)
        assert answer is not None
        assert 200 == answer.status, name
        faults += await _objections(page)
        await page.emulate_media(color_scheme="dark")
        faults += await _objections(page, CONTRAST)
        await page.set_viewport_size(PHONE)
        over = await page.evaluate(WIDER)
        found[name] = [*faults, *([f"{over} pixels too wide for a phone"] if over > 0 else [])]
        faults.clear()
    await context.close()

    assert {} == {name: told for name, told in found.items() if told}


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
    assert [] == await _objections(page)


async def _objections(page: Page, options: dict[str, object] | None = None) -> list[str]:
    result = await Axe().run(page, options=options or {"resultTypes": ["violations"]})
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in result.response["violations"]]
