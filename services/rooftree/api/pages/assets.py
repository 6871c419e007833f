"""
The files beside the pages: one sheet of styles and a few scripts, served from here and from nowhere else.
"""

from __future__ import annotations

from importlib.resources import files
from types import MappingProxyType
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["asset"]

TYPES: Final = MappingProxyType({".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"})
KEPT: Final = "public, max-age=31536000, immutable"
"""Pages name the version of the files in their addresses, so no copy is ever stale."""


async def asset(request: Request) -> Response:
    """
    Return one of the files.
    """
    name = str(request.path_params["name"])
    found = {entry.name: entry for entry in files("rooftree.api").joinpath("assets").iterdir() if entry.is_file()}
    kind = TYPES.get(f".{name.rpartition('.')[2]}")
    if name not in found or kind is None:
        raise HTTPException(404, f"no file `{name}`")
    return Response(found[name].read_bytes(), media_type=kind, headers={"cache-control": KEPT})
