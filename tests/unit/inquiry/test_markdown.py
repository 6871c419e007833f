from __future__ import annotations

import pytest

from rooftree.inquiry.markdown import code, escape


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain words", "plain words"),
        ("a*b_c", "a\\*b\\_c"),
        ("<img src=x>", "\\<img src=x\\>"),
        ("[link](http://x)", "\\[link\\](http://x)"),
        ("two\nlines", "two lines"),
        ("# no heading", "\\# no heading"),
        ("a|b", "a\\|b"),
    ],
)
def test_text_stays_text(text: str, escaped: str) -> None:
    """
    A name cannot become markup, a link or a new line.
    """
    assert escaped == escape(text)


@pytest.mark.parametrize(
    ("text", "span"),
    [("s3:*", "`s3:*`"), ("a`b", "``a`b``"), ("`a`", "`` `a` ``"), ("a``b", "```a``b```"), ("a\nb", "`a b`")],
)
def test_a_code_span_holds_whatever_it_is_given(text: str, span: str) -> None:
    """
    Backticks within do not end it.
    """
    assert span == code(text)
