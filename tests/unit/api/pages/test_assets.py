"""
The files beside the pages.
"""

from __future__ import annotations

from importlib.resources import files

from tests.unit.api.test_app import browse, stored

from rooftree.api.pages.assets import SHEETS


def test_every_sheet_of_styles_is_sent_once() -> None:
    """
    A file that is not listed would change nothing, and nobody would see why.
    """
    folder = files("rooftree.api").joinpath("assets", "style")

    assert sorted(SHEETS) == sorted(entry.name.removesuffix(".css") for entry in folder.iterdir())


async def test_all_styles_come_as_one_sheet_that_browsers_keep() -> None:
    """
    One request a visit, and none after it: the address changes with the content.
    """
    async with browse(stored()) as client:
        answer = await client.get("/assets/style.css")

    assert "text/css; charset=utf-8" == answer.headers["content-type"]
    assert "immutable" in answer.headers["cache-control"]
    assert 0 <= answer.text.find(":root {") < answer.text.find("@media print {")
