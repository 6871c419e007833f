"""
What pydantic finds wrong, in the words of this service.
"""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rooftree.contracts.fields import MAX_TEXT
from rooftree.errors import InputError, join_place

__all__ = ["first_complaint"]

_PLAIN: Final = {
    "missing": "is missing",
    "union_tag_not_found": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "expected text",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "list_type": "expected a list",
}
"""What needs no more said, by pydantic's names."""


def first_complaint(error: ValidationError, place: str = "") -> InputError:
    """
    Return the first complaint, with its place as seen from *place*.
    """
    first = error.errors(include_url=False)[0]
    for step in first["loc"]:
        place = join_place(place, f"[{step}]" if isinstance(step, int) else step)
    if first["type"].startswith("union_tag"):
        # It is the object that pydantic points to, and not what is wrong in it.
        place = join_place(place, _unquoted(first["ctx"]["discriminator"]))
    return InputError(_reason(first), place=place)


def _reason(first: ErrorDetails) -> str:
    context = first.get("ctx", {})
    match first["type"]:
        case "string_too_short" | "string_too_long":
            return f"expected 1 to {context.get('max_length', MAX_TEXT)} characters"
        case "string_pattern_mismatch":
            return f"expected text like `{context['pattern']}`, found `{str(first['input'])[:64]}`"
        case "union_tag_invalid":
            return f"expected one of {_unquoted(context['expected_tags'])}, found `{context['tag'][:64]}`"
        case "value_error":
            return str(context["error"])
        case other:
            return _PLAIN.get(other) or first["msg"][:1].lower() + first["msg"][1:]


def _unquoted(names: str) -> str:
    return names.replace("'", "")
