"""
Validators for what crosses the boundary.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

from rooftree.reference.schemas import PublishedSchema, published_schemas

__all__ = ["EXAMPLES", "REPOSITORY", "closed_validator", "schema_named"]

REPOSITORY = Path(__file__).parents[1]

EXAMPLES = REPOSITORY / "schemas" / "examples" / "v1"
"""The bytes of events of version 1, as they were published: they are added to, and never edited."""


@cache
def schema_named(name: str) -> PublishedSchema:
    """
    Return the schema of an event or a document.
    """
    [found] = [schema for schema in published_schemas() if schema.name == name]
    return found


@cache
def closed_validator(name: str) -> Draft202012Validator:
    """
    Return a validator that takes what this version writes and no field besides.
    """
    return Draft202012Validator(schema_named(name).closed, format_checker=Draft202012Validator.FORMAT_CHECKER)
