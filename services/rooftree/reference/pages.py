"""
The pages of the manual that list things: settings, metrics, commands, events, topics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from rooftree.reference.asyncapi import CHANNELS
from rooftree.reference.commands import command_lines
from rooftree.reference.schemas import Family, PublishedSchema
from rooftree.settings import Settings, describe_settings
from rooftree.telemetry.logs import Action
from rooftree.telemetry.metrics import METRICS_REGISTRY

__all__ = ["pages"]

NOTICE: Final = "<!-- Written by `make schemas` from the code. -->"

HEADINGS: Final = {
    Family.CHANGES: ("Change events", "What `rooftree.changes` takes."),
    Family.AUDIT: ("Audit events", "What stands on `rooftree.audit`."),
    Family.PERMISSIONS: ("Account states", "What stands on `rooftree.permissions`."),
    Family.DOCUMENTS: ("Documents", "What commands read and print, and the headers of dead letters."),
}


def pages(root: Path, schemas: Iterable[PublishedSchema]) -> dict[str, str]:
    """
    Return the text of each page by the name of its file.

    Args:
        root: The checkout, whose examples and decisions are shown.
        schemas: Every schema.
    """
    written = {
        "settings.md": _settings(),
        "metrics.md": _metrics(),
        "commands.md": command_lines(),
        "events.md": _events(root, list(schemas)),
        "topics.md": _topics(),
        "decisions.md": _decisions(root),
    }
    return {name: "\n".join([NOTICE, *lines]) + "\n" for name, lines in written.items()}


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Every setting is an environment variable; an empty one counts as not set."
    yield "`rooftree config` lists them with the values that are in force, secrets apart, and ends with 2 if one is wrong."
    yield ""
    yield "| variable | default | meaning |"
    yield "| --- | --- | --- |"
    for setting in describe_settings():
        default = f"`{setting.default}`" if setting.default else ""
        secret = " A secret: it is never printed or logged." if setting.secret else ""
        yield f"| `{setting.variable}` | {default} | {_cell(setting.description)}.{secret} |"


def _metrics() -> Iterator[str]:
    yield "# Metrics and log lines"
    yield ""
    yield "The API serves its metrics at `/metrics`; each other role does so on `ROOFTREE_METRICS_PORT`."
    yield "Each process tells of what it does itself, so sums over processes are right and averages are not."
    yield ""
    yield "| metric | type | labels | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, kind, labels, meaning in sorted(_collected()):
        yield f"| `{name}` | {kind} | {labels} | {_cell(meaning)} |"
    yield ""
    yield "## Log lines"
    yield ""
    yield "Each line has an `action`: the word to search and alert by."
    yield "It is not reworded in later versions."
    yield ""
    for action in Action:
        yield f"- `{action.value}`"


def _collected() -> Iterator[tuple[str, str, str, str]]:
    for collector in list(METRICS_REGISTRY._collector_to_names):  # noqa: SLF001  # nothing public lists what is labelled
        labels = ", ".join(f"`{label}`" for label in getattr(collector, "_labelnames", ()))
        for family in getattr(collector, "describe")():  # noqa: B009  # its type does not tell that it has one
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield name, family.type, labels, family.documentation


def _events(root: Path, schemas: list[PublishedSchema]) -> Iterator[str]:
    yield "# Events and documents"
    yield ""
    yield "Each has a [JSON Schema](https://json-schema.org/draft/2020-12) in `schemas/`; the topics are described in"
    yield "`schemas/asyncapi.json` (AsyncAPI 3.0) and the HTTP API in `schemas/openapi.json` (OpenAPI 3.1)."
    yield "What may change in version 1 stands in [Compatibility](../compatibility.md)."
    for family, (heading, sentence) in HEADINGS.items():
        members = [schema for schema in schemas if schema.family is family]
        yield ""
        yield f"## {heading}"
        yield ""
        yield sentence
        yield ""
        yield "| name | what it says |"
        yield "| --- | --- |"
        for schema in members:
            yield f"| [`{schema.name}`](#{_anchor(schema.name)}) | {_cell(schema.title)} |"
        for schema in members:
            yield from _one_schema(root, schema)


def _one_schema(root: Path, schema: PublishedSchema) -> Iterator[str]:
    definitions = _mapping(schema.schema.get("$defs"))
    data = _mapping(_mapping(schema.schema.get("properties")).get("data"))
    body = schema.schema if schema.family is Family.DOCUMENTS else _resolved(data, definitions)
    yield ""
    yield f"### {schema.name} {{ #{_anchor(schema.name)} }}"
    yield ""
    yield f"`schemas/{schema.path}`. {' '.join(str(schema.schema.get('description', '')).split())}"
    yield ""
    yield from _fields(body)
    for name, definition in definitions.items():
        if definition != body and "properties" in _mapping(definition):
            yield ""
            yield f"**{name}**: {' '.join(str(_mapping(definition).get('description', '')).split())}"
            yield ""
            yield from _fields(_mapping(definition))
    example = root / "schemas" / "examples" / "v1" / f"{schema.name}.json"
    if example.is_file():
        yield ""
        yield '??? example "Example"'
        yield "    ```json"
        yield from (f"    {line}" for line in example.read_text(encoding="utf-8").splitlines())
        yield "    ```"


def _fields(schema: Mapping[str, object]) -> Iterator[str]:
    required = schema.get("required", [])
    assert isinstance(required, list)
    yield "| field | type | | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, told in _mapping(schema.get("properties")).items():
        field = _mapping(told)
        needed = "required" if name in required else ""
        yield f"| `{name}` | {_type(field)} | {needed} | {_cell(str(field.get('description', '')))} |"


def _type(field: Mapping[str, object]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).removeprefix("#/$defs/")
    if "const" in field:
        return f"`{field['const']}`"
    for word in ("enum", "anyOf"):
        if isinstance(choices := field.get(word), list):
            return ", ".join(f"`{one}`" if word == "enum" else _type(_mapping(one)) for one in choices)
    if field.get("type") == "array":
        return f"list of {_type(_mapping(field.get('items')))}"
    if isinstance(inner := field.get("additionalProperties"), dict) and field.get("type") == "object":
        return f"object of {_type(inner)}"
    told = str(field.get("format") or field.get("type") or "any JSON")
    return f"{told}, `{_cell(str(field['pattern']))}`" if "pattern" in field else told


def _topics() -> Iterator[str]:
    yield "# Topics"
    yield ""
    yield "Missing topics are made as below unless `ROOFTREE_CREATE_TOPICS` is `false`; `rooftree doctor` compares those that exist."
    yield ""
    yield "| topic | setting | Rooftree | key | cleanup | what stands on it |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for channel in CHANNELS:
        does = {"receive": "reads", "send": "writes"}[channel.action]
        address = Settings.model_fields[channel.field].default
        setting = f"ROOFTREE_{channel.field.upper()}"
        kept = "compact" if channel.cleanup == "compact" else "delete, never"
        yield f"| `{address}` | `{setting}` | {does} | {_cell(channel.key[1])} | {kept} | {_cell(channel.summary)} |"
    yield ""
    yield "Keys decide the partition, and order holds within a partition only."
    yield "Partitions may be added to the audit and permissions topics; on the changes topic that parts the changes of an"
    yield "organization between two partitions, which Rooftree survives (facts carry their own versions) but reads more slowly."


def _decisions(root: Path) -> Iterator[str]:
    yield "# Decisions"
    yield ""
    yield "Roads taken and not taken."
    yield ""
    for path in sorted((root / "docs" / "decisions").glob("*.md")):
        heading = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        yield f"- [{heading}](../decisions/{path.name})"


def _resolved(schema: Mapping[str, object], definitions: Mapping[str, object]) -> Mapping[str, object]:
    reference = str(schema.get("$ref", ""))
    return _mapping(definitions[reference.removeprefix("#/$defs/")]) if reference else schema


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _anchor(name: str) -> str:
    return name.replace(".", "-").replace("_", "-")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
