"""
The words of pages.
"""

from __future__ import annotations

import pytest

from rooftree.api.pages.phrases import coded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing to set", "nothing to set"),
        ("`p-a` hangs already on `r-1`", "<code>p-a</code> hangs already on <code>r-1</code>"),
        ("expected `<b>`, not <i>", "expected <code>&lt;b&gt;</code>, not &lt;i&gt;"),
        ("one ` alone & <b>", "one ` alone &amp; &lt;b&gt;"),
        ("", ""),
    ],
)
def test_what_stands_between_backticks_is_code_and_nothing_is_markup(text: str, expected: str) -> None:
    """
    Names come from callers: whatever they have in them is shown and not obeyed.
    """
    assert expected == str(coded(text))
