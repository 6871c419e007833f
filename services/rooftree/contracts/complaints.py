"""
What pydantic finds wrong, in the words of this service.
"""

from __future__ import annotations

from pydantic import ValidationError

from rooftree.contracts.fields import MAX_TEXT
from rooftree.errors import InputError, join_place

__all__ = ["first_complaint"]


def first_complaint(error: ValidationError, place: str = "") -> InputError:
    """
    Return the first complaint, with its place as seen from *place*.
    """
    first = error.errors(include_url=False)[0]
    for step in first["loc"]:
        place = join_place(place, f"[{step}]" if isinstance(step, int) else step)
    found = first["input"]
    match first["type"]:
        case "missing":
            reason = "is missing"
        case "extra_forbidden":
            reason = "is not known here"
        case "string_type":
            reason = "expected text"
        case "string_too_short" | "string_too_long":
            reason = f"expected 1 to {first['ctx'].get('max_length', MAX_TEXT)} characters"
        case "dict_type" | "model_type":
            reason = "expected an object"
        case "list_type":
            reason = "expected a list"
        case "string_pattern_mismatch":
            reason = f"expected text like `{first['ctx']['pattern']}`, found `{str(found)[:64]}`"
        case "value_error":
            reason = str(first["ctx"]["error"])
        case _:
            reason = first["msg"][:1].lower() + first["msg"][1:]
    return InputError(reason, place=place)
