"""
The API as schemas that can be compared with those of later versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rooftree.reference.compatibility import Bundle
from rooftree.reference.schemas import Direction

__all__ = ["bundle_of_api"]

COMPONENTS: Final = "#/components/schemas/"
DEFINITIONS: Final = "#/$defs/"

Description = Mapping[str, Any]


def bundle_of_api(description: Description) -> Bundle:
    """
    Return what can be asked of the API, and what it answers, each by the operation that it belongs to.

    Args:
        description: In OpenAPI, as `rooftree.api.openapi.describe` returns it.
    """
    told: Description = json.loads(json.dumps(description).replace(COMPONENTS, DEFINITIONS))
    definitions = told["components"]["schemas"]
    return {
        name: {"direction": str(direction), "schema": {**schema, "$defs": definitions}}
        for path, operations in told["paths"].items()
        for method, operation in operations.items()
        for name, direction, schema in _parts(f"{method.upper()} {path}", operation)
    }


def _parts(name: str, operation: Description) -> Iterator[tuple[str, Direction, Description]]:
    yield name, Direction.IN, _request(operation)
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield f"{name} {status}", Direction.OUT, {}
        for media, content in answer.get("content", {}).items():
            yield f"{name} {_status(status)} {media}", Direction.OUT, content["schema"]


def _status(status: str) -> str:
    # Which of the failures it is may change: a client that does not know a number takes it for the hundred it is of.
    return status if status.startswith("2") else f"{status[0]}xx"


def _request(operation: Description) -> Description:
    """
    Return a schema of everything that a request tells, by where it tells it.
    """
    fields: dict[str, Any] = {}
    required: set[str] = set()
    for parameter in operation.get("parameters", ()):
        place = fields.setdefault(parameter["in"], {"type": "object", "properties": {}, "required": []})
        place["properties"][parameter["name"]] = parameter["schema"]
        if parameter["required"]:
            place["required"].append(parameter["name"])
            required.add(parameter["in"])
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        place = fields.setdefault("body", {"type": "object", "properties": {}})
        place["properties"][media] = content["schema"]
        if operation["requestBody"].get("required"):
            required.add("body")
    return {"type": "object", "properties": fields, "required": sorted(required)}
