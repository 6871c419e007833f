"""
What a browser sends of a form.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

__all__ = ["read_form"]

MOST_BYTES: Final = 4096
"""Of a form without long texts."""

MOST_FIELDS: Final = 20


async def read_form(request: Request, *, most: int = MOST_BYTES) -> dict[str, str]:
    """
    Return the fields of a form, each as it was given first.

    Args:
        request: Its body is read.
        most: Bytes that the form may have.

    Raises:
        HTTPException: It is larger, or has more fields than any form of ours.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413, f"a form may have {most} bytes")
    try:
        fields = parse_qs(bytes(body).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(400, f"a form may have {MOST_FIELDS} fields") from None
    return {name: values[0] for name, values in fields.items()}
