"""
Every page in a real browser: nothing is refused or missing, everybody can read it, and it fits a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, ViewportSize, expect
from tests.browser.conftest import PATIENCE, Dashboard

DEMO: Final = "/o-demorooftree"
LARGE: Final = "/o-enterprise0"
SHOP: Final = f"{DEMO}/accounts/878698083985"
WORKLOADS: Final = "ou-en01-wscoytby"
APP: Final = f"{LARGE}/accounts/700000974037"

Look: TypeAlias = tuple[Literal["light", "dark"], ViewportSize, dict[str, object]]

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
    "search for nothing": f"{DEMO}/search?q=zzzz",
    "feed by a filter": f"{DEMO}/audit?direction=allowed&service=iam",
    "feed of nothing": f"{DEMO}/audit?actor=nobody",
    "change by exception": f"{DEMO}/audit/5",
    "policy of AWS": f"{DEMO}/policies/p-FullAWSAccess",
    "nothing asked": f"{DEMO}/check",
    "which account": f"{DEMO}/check?account=shop&action=q:SendMessage",
    "nobody asked for": f"{DEMO}/who-can",
    "only the management account can": f"{DEMO}/who-can?action=organizations:LeaveOrganization",
    "nobody was there": f"{DEMO}/who-can?action=organizations:LeaveOrganization&at=2020-01-01T00:00",
    "what-if of nothing": f"{DEMO}/what-if",
    "what-if without effect": f"{DEMO}/what-if?step=attach&policy=DenyLeavingOrganization&target=Workloads",
    "large organization": LARGE,
    "large unit": f"{LARGE}/nodes/{WORKLOADS}",
    "large account": APP,
    "large services": f"{APP}/services",
    "large service": f"{APP}/services/ec2",
    "large history": f"{APP}/history",
    "large principals": f"{APP}/principals",
    "large feed": f"{LARGE}/audit",
    "large feed by a filter": f"{LARGE}/audit?service=q&direction=denied",
    "large change": f"{LARGE}/audit/2?after=150",
    "large policies": f"{LARGE}/policies",
    "large policy": f"{LARGE}/policies/p-regionguardr",
    "large search": f"{LARGE}/search?q=app-00",
    "large check": f"{LARGE}/check?account=app-00123&action=s3:GetObject&context=aws:RequestedRegion%3Deu-west-1",
    "large who can": f"{LARGE}/who-can?action=ec2:RunInstances&context=aws:RequestedRegion%3Deu-west-1",
    "large what-if": f"{LARGE}/what-if?step=detach&policy=RegionGuardrail&target=Workloads",
    "large operations": f"{LARGE}/operations",
}

REFUSED: Final = {
    "no such unit": (f"{DEMO}/nodes/ou-nope", 404),
    "no such organization": ("/o-nothing", 404),
    "no account id": (f"{DEMO}/audit?account_id=abc", 400),
    "no action": (f"{DEMO}/check?account=shop-test&action=foo", 400),
    "nothing to change": (f"{DEMO}/what-if?step=attach&policy=CloseAmazonQ&target=NonProd", 400),
    "no such account": (f"{DEMO}/what-if?step=move&account=nobody&parent=Sandbox", 400),
}
"""What is answered with what is wrong about the question."""

ALL: Final[dict[str, object]] = {"resultTypes": ["violations"]}
COLOURS: Final[dict[str, object]] = {**ALL, "runOnly": ["color-contrast", "link-in-text-block"]}
"""The rules of axe that another colour scheme may break and another width may not."""

LOOKS: Final[tuple[Look, ...]] = (("light", LAPTOP, ALL), ("dark", LAPTOP, COLOURS), ("dark", PHONE, ALL))
"""How each page is looked at, once it is there: a page is loaded once for all of them."""

JUDGE: Final = """
options => axe.run(document, options)
  .then(found => found.violations.map(one => `${one.id}: ${one.nodes[0].html.slice(0, 120)}`))
"""

WIDER: Final = """
Math.max(...[document.documentElement, ...document.querySelectorAll('.wide')].map(one => one.scrollWidth - one.clientWidth))
"""


async def test_every_page_is_for_everybody_and_fits_a_phone(
    browser: Browser, session: object, dashboard: Dashboard
) -> None:
    """
    All rules of axe in both colour schemes and both widths, no error on the console, and nothing wider than a phone,
    tables included. The pages of the large organization are those of the demo with more in them: one look is enough.
    """
    context = await browser.new_context(storage_state=session, reduced_motion="reduce")  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    found = {}
    for name, (path, status) in {**{name: (path, 200) for name, path in PAGES.items()}, **REFUSED}.items():
        answer = await page.goto(dashboard.url + path)
        if answer is None or answer.status != status:
            faults.append(f"answered with {answer and answer.status}")
        faults += await _objections(page, LOOKS[:1] if path.startswith(LARGE) else LOOKS)
        await page.set_viewport_size(PHONE)
        over = await page.evaluate(WIDER)
        # the browser notes on its console that the page itself was answered with a refusal
        told = [fault for fault in faults if status == 200 or f"status of {status}" not in fault]
        found[name] = [*told, *([f"{over} pixels too wide for a phone"] if over > 0 else [])]
        faults.clear()
    await context.close()

    assert {} == {name: told for name, told in found.items() if told}


async def test_on_a_phone_all_of_the_navigation_is_within_reach(
    browser: Browser, session: object, dashboard: Dashboard
) -> None:
    """
    Every entry is in sight whatever is scrolled to.
    """
    context = await browser.new_context(storage_state=session, viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    for path in (DEMO, f"{SHOP}/services", f"{DEMO}/policies"):
        await page.goto(dashboard.url + path)
        await page.mouse.wheel(0, 10_000)
        entries = page.get_by_role("navigation", name="Main").get_by_role("link")
        boxes = [await entry.bounding_box() for entry in await entries.all()]

        assert 6 == len(boxes)
        assert all(
            box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] and box["y"] < PHONE["height"]
            for box in boxes
        )
    await context.close()


async def test_on_a_phone_filters_and_questions_are_folded_until_they_are_wanted(
    browser: Browser, session: object, dashboard: Dashboard
) -> None:
    """
    What happened and what was answered comes first; a laptop has room for both.
    """
    context = await browser.new_context(storage_state=session, viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(dashboard.url + PAGES["audit"])
    await expect(page.get_by_label("Service", exact=True)).to_be_hidden()
    await page.get_by_text("Filter", exact=True).first.click()
    await page.get_by_label("Service", exact=True).fill("iam")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.get_by_text("1 set", exact=True)).to_be_visible()
    await page.goto(dashboard.url + PAGES["check"])
    await expect(page.get_by_label("Action", exact=True)).to_be_hidden()
    await expect(page.get_by_text("Denied by a statement")).to_be_in_viewport()
    await page.set_viewport_size(LAPTOP)
    await expect(page.get_by_label("Action", exact=True)).to_be_visible()
    await context.close()


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


async def test_strangers_see_the_login_and_the_token_opens_it(page: Page, dashboard: Dashboard) -> None:
    """
    The login is for everybody, too; logging out leads back to it, by the name of its button on a phone as well.
    """
    await page.context.clear_cookies()
    await page.goto(dashboard.url + DEMO)
    assert page.url.endswith("/login")
    assert [] == await _objections(page, LOOKS)

    await page.get_by_label("Token").fill(dashboard.token)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{dashboard.url}/")
    await page.goto(dashboard.url + DEMO)
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/login")
    await page.goto(dashboard.url + DEMO)
    assert page.url.endswith("/login")


async def _objections(page: Page, looks: Sequence[Look]) -> list[str]:
    """
    Return what axe objects to, look by look.
    """
    found: list[str] = []
    await page.evaluate(AXE_SCRIPT)
    for scheme, size, rules in looks:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size(size)
        found += [f"{scheme}, {size['width']}: {one}" for one in await page.evaluate(JUDGE, rules)]
    return found
