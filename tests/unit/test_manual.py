from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"(?<!`)\]\(([^)#\s]+\.\w+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_of_the_manual_lead_to_its_own_pages(page: Path) -> None:
    """
    `make docs` refuses others: what stands outside of docs/ is named, not linked.
    """
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    resolved = {target: (page.parent / target).resolve() for target in targets}

    assert [] == [target for target, path in resolved.items() if not (path.is_file() and path.is_relative_to(DOCS))]


def test_the_manual_lists_all_of_its_pages_and_no_other() -> None:
    """
    A page that is not listed is found by nobody; one that is not there would end `make docs`. Decisions have a list.
    """
    configuration = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r": ([\w/-]+\.md)$", configuration, re.MULTILINE)

    assert sorted(listed) == sorted(
        name for name in (page.relative_to(DOCS).as_posix() for page in PAGES) if not name.startswith("decisions/")
    )
