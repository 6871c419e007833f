from __future__ import annotations

import pytest

from rooftree.organization.identifiers import is_account, is_organization, is_ou, is_root


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("o-exampleorg", "organization"),
        ("r-ab12", "root"),
        ("ou-ab12-aaaaaaaa", "ou"),
        ("222222222222", "account"),
        ("o-short", ""),
        ("o-EXAMPLEORG", ""),
        ("r-ab1", ""),
        ("ou-ab12-aaaaaaa", ""),
        ("22222222222", ""),
        ("222222222222\n", ""),
        ("٢٢٢٢٢٢٢٢٢٢٢٢", ""),
        ("p-examplepol", ""),
    ],
)
def test_an_id_is_of_the_one_kind_whose_shape_it_has(text: str, expected: str) -> None:
    """Shapes are those of the API of AWS Organizations, to the last character."""
    kinds = {"organization": is_organization, "root": is_root, "ou": is_ou, "account": is_account}
    assert [expected] * bool(expected) == [kind for kind, has_shape in kinds.items() if has_shape(text)]
