"""
JSON Schema 2020-12 of every event and document, from the models that read and write them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from rooftree.contracts.answers import AccountDifferenceModel, SimulationAnswerModel, SimulationFaultModel
from rooftree.contracts.audit import AUDIT_DATA_MODELS, AuditEnvelope
from rooftree.contracts.changes import DATA_MODELS
from rooftree.contracts.dead_letters import DeadLetterHeaders
from rooftree.contracts.decoding import ChangeEvent
from rooftree.contracts.permissions import PermissionsEnvelope
from rooftree.contracts.probes import ProbeFileModel
from rooftree.contracts.simulation import SimulationLine
from rooftree.contracts.snapshot import SnapshotDocument

__all__ = ["DIALECT", "Direction", "Family", "JsonSchema", "PublishedSchema", "published_schemas"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

JsonSchema = dict[str, object]


class Direction(StrEnum):
    """
    Who writes what a schema describes: it decides which changes of it are compatible.
    """

    IN = "in"
    OUT = "out"


class Family(StrEnum):
    """
    Where what a schema describes is met.
    """

    CHANGES = "changes"
    AUDIT = "audit"
    PERMISSIONS = "permissions"
    DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True)
class PublishedSchema:
    """
    One schema with all that it refers to.

    Attributes:
        name: The type of the event, or the name of the document.
        family: Where it is met.
        direction: Who writes it.
        title: In a few words.
        schema: The schema. What the service writes may hold more fields in a later version, so it does not forbid any.
        closed: The same, but with every field that is not named here forbidden: what this very version writes.
    """

    name: str
    family: Family
    direction: Direction
    title: str
    schema: JsonSchema
    closed: JsonSchema

    @property
    def path(self) -> str:
        """
        Where its file stands below ``schemas/``.
        """
        return f"{'documents' if self.family is Family.DOCUMENTS else 'events'}/{self.name}.json"


DOCUMENTS: Final[Mapping[str, tuple[Direction, type[BaseModel]]]] = {
    "organization-snapshot": (Direction.IN, SnapshotDocument),
    "probe-file": (Direction.IN, ProbeFileModel),
    "simulation-request": (Direction.IN, SimulationLine),
    "simulation-answer": (Direction.OUT, SimulationAnswerModel),
    "simulation-fault": (Direction.OUT, SimulationFaultModel),
    "account-difference": (Direction.OUT, AccountDifferenceModel),
    "dead-letter-headers": (Direction.OUT, DeadLetterHeaders),
}


def published_schemas() -> tuple[PublishedSchema, ...]:
    """
    Return every schema, by family and then in the order of the models.
    """
    return (
        *(
            _event(Family.CHANGES, Direction.IN, str(event_type), ChangeEvent, model)
            for event_type, model in DATA_MODELS.items()
        ),
        *(
            _event(Family.AUDIT, Direction.OUT, event_type, AuditEnvelope, model)
            for event_type, model in AUDIT_DATA_MODELS.items()
        ),
        _published(
            "rooftree.account.permissions.v1", Family.PERMISSIONS, Direction.OUT, _schema_of(PermissionsEnvelope)
        ),
        *(
            _published(name, Family.DOCUMENTS, direction, _schema_of(model))
            for name, (direction, model) in DOCUMENTS.items()
        ),
    )


def _event(
    family: Family, direction: Direction, event_type: str, envelope: type[BaseModel], data: type[BaseModel]
) -> PublishedSchema:
    """
    Return the schema of one type of event: the envelope with this type and this data alone.
    """
    outer, inner = _schema_of(envelope), _schema_of(data)
    definitions = {**_mapping(outer.pop("$defs", {})), **_mapping(inner.pop("$defs", {})), data.__name__: inner}
    properties = _mapping(outer["properties"])
    properties["specversion"] = {"const": "1.0"}
    properties["type"] = {"const": event_type}
    properties["data"] = {"$ref": f"#/$defs/{data.__name__}"}
    outer["description"] = inner.get("description", outer.get("description", ""))
    return _published(event_type, family, direction, {**outer, "$defs": definitions})


def _published(name: str, family: Family, direction: Direction, schema: JsonSchema) -> PublishedSchema:
    schema = _with_reachable_definitions(schema)
    title = " ".join(str(schema.get("description", name)).split("\n\n")[0].split()).rstrip(".")
    closed = {"$schema": DIALECT, "$id": f"urn:rooftree:schema:{name}", "title": name, **schema}
    opened = closed if direction is Direction.IN else _mapping(_opened(closed))
    return PublishedSchema(name, family, direction, title, opened, closed)


class _Untitled(GenerateJsonSchema):
    """
    Schemas without titles that only repeat the names of fields.
    """

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic asks for each field
        return False


def _schema_of(model: type[BaseModel]) -> JsonSchema:
    schema = model.model_json_schema(mode="validation", schema_generator=_Untitled)
    return {name: value for name, value in schema.items() if name != "title"}


def _opened(value: object) -> object:
    """
    Return a schema that does not forbid the fields which a later version may add.
    """
    if isinstance(value, dict):
        return {
            name: _opened(inner)
            for name, inner in value.items()
            if not (name == "additionalProperties" and inner is False)
        }
    if isinstance(value, list):
        return [_opened(inner) for inner in value]
    return value


def _with_reachable_definitions(schema: JsonSchema) -> JsonSchema:
    definitions = _mapping(schema.get("$defs", {}))
    body = {name: value for name, value in schema.items() if name != "$defs"}
    reached: dict[str, object] = {}
    waiting = list(_references(body))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = copy.deepcopy(definitions[name])
            waiting.extend(_references(reached[name]))
    named = {name: reached[name] for name in sorted(reached)}
    return {**body, "$defs": named} if named else body


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix("#/$defs/")
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _mapping(value: object) -> dict[str, object]:
    assert isinstance(value, dict), "what pydantic calls properties and definitions are objects"
    return value
