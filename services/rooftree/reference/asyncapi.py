"""
The topics in AsyncAPI 3.0: what stands on each, by which key, and how the topic itself should be set.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rooftree import __version__
from rooftree.reference.schemas import Family, JsonSchema, PublishedSchema
from rooftree.settings import Settings

__all__ = ["describe_topics"]

BINDING_VERSION: Final = "0.5.0"


@dataclass(frozen=True, slots=True)
class Channel:
    """
    One topic.

    Attributes:
        name: Under which the description knows it.
        field: The setting that names the topic.
        summary: What stands on it.
        action: What Rooftree does with it.
        key: Pattern of the keys of its records, and what they are.
        cleanup: How Kafka cleans it up.
        family: Which events stand on it; none for those with bytes of others.
    """

    name: str
    field: str
    summary: str
    action: str
    key: tuple[str, str]
    cleanup: str
    family: Family | None


CHANNELS: Final = (
    Channel(
        name="changes",
        field="changes_topic",
        summary="What has changed in organizations. Everything else is worked out from this topic.",
        action="receive",
        key=("^o-[a-z0-9]{10,32}$", "The organization: its changes stay in order only if all have this key."),
        cleanup="delete",
        family=Family.CHANGES,
    ),
    Channel(
        name="audit",
        field="audit_topic",
        summary="Which decisions have changed, in the order of each organization's revision and without gaps.",
        action="send",
        key=("^([0-9]{12}|o-[a-z0-9]{10,32})$", "The account, or the organization for an event about that."),
        cleanup="delete",
        family=Family.AUDIT,
    ),
    Channel(
        name="permissions",
        field="permissions_topic",
        summary="The current state of each account. A record without a value says that the account has left.",
        action="send",
        key=("^[0-9]{12}$", "The account."),
        cleanup="compact",
        family=Family.PERMISSIONS,
    ),
    Channel(
        name="deadLetters",
        field="dead_letter_topic",
        summary="What could not be processed: key, value and headers as they were, with headers that say why.",
        action="send",
        key=("", "The key of the record that could not be processed."),
        cleanup="delete",
        family=None,
    ),
)


def describe_topics(schemas: Iterable[PublishedSchema]) -> JsonSchema:
    """
    Return the description as JSON.

    Args:
        schemas: Those of the events, and of the headers of dead letters.
    """
    known = [schema for schema in schemas if schema.family is not Family.DOCUMENTS]
    [headers] = [schema for schema in schemas if schema.name == "dead-letter-headers"]
    components = _components([*known, headers])
    return {
        "asyncapi": "3.0.0",
        "id": "urn:rooftree:topics",
        "info": {
            "title": "Rooftree",
            "version": __version__,
            "description": "Changes of AWS organizations in, exact decision changes out.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {channel.name: _channel(channel, known) for channel in CHANNELS},
        "operations": {
            f"{channel.action}{channel.name[:1].upper()}{channel.name[1:]}": {
                "action": channel.action,
                "channel": {"$ref": f"#/channels/{channel.name}"},
                "summary": channel.summary,
            }
            for channel in CHANNELS
        },
        "components": {
            "schemas": components,
            "messages": {
                **{schema.name: _message(schema) for schema in known},
                "AwsEvent": _aws_event(),
                "DeadLetter": _dead_letter(),
            },
        },
    }


def _channel(channel: Channel, schemas: Iterable[PublishedSchema]) -> JsonSchema:
    names = [schema.name for schema in schemas if schema.family is channel.family] or ["DeadLetter"]
    if channel.family is Family.CHANGES:
        names.append("AwsEvent")
    return {
        "address": Settings.model_fields[channel.field].default,
        "summary": channel.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topicConfiguration": {
                    "cleanup.policy": [channel.cleanup],
                    **({} if channel.cleanup == "compact" else {"retention.ms": -1, "retention.bytes": -1}),
                    "max.message.bytes": Settings.model_fields["kafka_max_message_bytes"].default,
                },
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _message(schema: PublishedSchema) -> JsonSchema:
    [channel] = [channel for channel in CHANNELS if channel.family is schema.family]
    return {
        "name": schema.name,
        "title": schema.title,
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": f"#/components/schemas/{schema.name}"},
        "bindings": {"kafka": {"key": _key(channel), "bindingVersion": BINDING_VERSION}},
    }


def _aws_event() -> JsonSchema:
    [channel] = [channel for channel in CHANNELS if channel.family is Family.CHANGES]
    return {
        "name": "AwsEvent",
        "title": "An event of AWS as EventBridge delivers it, or a bare CloudTrail record",
        "description": "Which of them are taken, and what becomes of them, stands in docs/aws-events.md.",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "anyOf": [{"required": ["detail-type", "detail"]}, {"required": ["eventSource", "eventName"]}],
        },
        "bindings": {"kafka": {"key": _key(channel), "bindingVersion": BINDING_VERSION}},
    }


def _dead_letter() -> JsonSchema:
    [channel] = [channel for channel in CHANNELS if channel.family is None]
    return {
        "name": "DeadLetter",
        "title": "A record that could not be processed",
        "contentType": "application/octet-stream",
        "headers": {"$ref": "#/components/schemas/dead-letter-headers"},
        "payload": {"description": "The bytes of the record, whatever they are."},
        "bindings": {"kafka": {"key": _key(channel), "bindingVersion": BINDING_VERSION}},
    }


def _key(channel: Channel) -> JsonSchema:
    pattern, description = channel.key
    return {"type": "string", **({"pattern": pattern} if pattern else {}), "description": description}


def _components(schemas: list[PublishedSchema]) -> dict[str, object]:
    """
    Return what all schemas are made of, each part once and under a name of its own.
    """
    parts: dict[str, list[object]] = {}
    for schema in schemas:
        for name, part in _definitions(schema).items():
            if part not in parts.setdefault(name, []):
                parts[name].append(part)
    ambiguous = {name for name, found in parts.items() if len(found) > 1}
    components: dict[str, object] = {}
    for schema in schemas:
        names = {
            name: f"{schema.family.capitalize()}{name}" if name in ambiguous else name for name in _definitions(schema)
        }
        for name, part in _definitions(schema).items():
            components[names[name]] = _renamed(part, names)
        # AsyncAPI reads its schemas as a later draft-07, which knows the same words apart from these.
        body = {word: value for word, value in schema.schema.items() if word not in {"$schema", "$id", "$defs"}}
        components[schema.name] = _renamed(body, names)
    return dict(sorted(components.items()))


def _definitions(schema: PublishedSchema) -> Mapping[str, object]:
    definitions = schema.schema.get("$defs", {})
    assert isinstance(definitions, dict), "definitions stand by name"
    return definitions


def _renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {
            word: f"#/components/schemas/{names[inner.removeprefix('#/$defs/')]}"
            if word == "$ref" and isinstance(inner, str)
            else _renamed(inner, names)
            for word, inner in value.items()
        }
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    return value
