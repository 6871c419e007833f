"""
The description of the API in OpenAPI 3.1, made from the endpoints and the models that they read and answer with.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from rooftree import __version__
from rooftree.api.endpoint import JSON, Endpoint
from rooftree.contracts.resources.envelopes import Page, Problem

__all__ = ["describe"]

Schema = dict[str, Any]

PREFIX: Final = "/api/v1"
REFERENCE: Final = "#/components/schemas/{model}"

PROBLEMS: Final = {
    400: "A parameter or the body is not what it should be; the detail names the place",
    401: "Nothing proves who asks",
    403: "The caller may not do this",
    404: "There is no such thing, or none that the caller may see",
    406: "None of the media types that the client takes",
    408: "The body did not come in time",
    409: "It is not in a state in which this can be done",
    413: "The body is too large",
    414: "The address is too long",
    415: "The body is not JSON",
    429: "Too many requests; `Retry-After` says when to come again",
    500: "A defect of Rooftree",
    503: "A server that is needed does not answer, or too much is being asked; `Retry-After` says when to come again",
}

TEXT_HEADER: Final[Schema] = {"schema": {"type": "string"}}
RETRY: Final[Schema] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
_TAG: Final[Schema] = {
    "ETag": {**TEXT_HEADER, "description": "Names the state of the view that the answer is made of."}
}
_LINK: Final[Schema] = {"Link": {**TEXT_HEADER, "description": 'The next page, as `rel="next"`; absent on the last.'}}

PROBLEM_HEADERS: Final[Mapping[int, Schema]] = {
    401: {"WWW-Authenticate": TEXT_HEADER},
    429: RETRY,
    503: RETRY,
}


def describe(endpoints: Iterable[Endpoint]) -> Schema:
    """
    Return the description as JSON.
    """
    known = list(endpoints)
    names, schemas = _schemas(known)
    paths: dict[str, Schema] = {}
    for endpoint in known:
        paths.setdefault(f"{PREFIX}{endpoint.path}", {})[endpoint.method.lower()] = _operation(endpoint, names)
        if endpoint.method == "GET":
            paths[f"{PREFIX}{endpoint.path}"]["head"] = _head(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rooftree",
            "version": __version__,
            "description": "What the accounts of AWS organizations may do at most, and what has changed about it",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(map(_tag_of, known))],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "rooftree_session",
                    "description": "The session of the dashboard",
                },
            },
            "schemas": schemas,
        },
    }


def _schemas(endpoints: Iterable[Endpoint]) -> tuple[Mapping[type[BaseModel], str], Schema]:
    """
    Return how each model is referred to, and the schemas of all of them and of what they are made of.
    """
    modes: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for endpoint in endpoints:
        if endpoint.answer is not None:
            modes[endpoint.answer, "serialization"] = None
        if endpoint.body is not None:
            modes[endpoint.body, "validation"] = None
    references, described = models_json_schema(list(modes), ref_template=REFERENCE)
    renamed = {name: _plain(name) for name in described["$defs"]}
    schemas = {renamed[name]: _with_names(schema, renamed) for name, schema in described["$defs"].items()}
    names: dict[Any, str] = {
        model: renamed[reference["$ref"].rsplit("/", 1)[1]] for (model, _), reference in references.items()
    }
    return names, schemas


def _plain(name: str) -> str:
    """
    Return the name of a model without the marks of a generic: ``Page_Account_`` is a page of accounts.
    """
    match = re.fullmatch(rf"{Page.__name__}_(\w+)_", name)
    return f"{match[1]}Page" if match else name


def _with_names(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        told = {key: _with_names(item, renamed) for key, item in value.items()}
        if isinstance(value.get("$ref"), str):
            told["$ref"] = REFERENCE.format(model=renamed[value["$ref"].rsplit("/", 1)[1]])
        if isinstance(value.get("discriminator"), dict):
            mapping = value["discriminator"].get("mapping", {})
            told["discriminator"]["mapping"] = {
                key: REFERENCE.format(model=renamed[reference.rsplit("/", 1)[1]]) for key, reference in mapping.items()
            }
        return told
    if isinstance(value, list):
        return [_with_names(item, renamed) for item in value]
    return value


def _operation(endpoint: Endpoint, names: Mapping[type[BaseModel], str]) -> Schema:
    operation: Schema = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"Needs the role `{endpoint.role}`.",
        "tags": [_tag_of(endpoint)],
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, names),
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": {"$ref": REFERENCE.format(model=names[endpoint.body])}}},
        }
    return operation


def _head(endpoint: Endpoint, names: Mapping[type[BaseModel], str]) -> Schema:
    operation = _operation(endpoint, names)
    responses = {
        status: {name: part for name, part in response.items() if name != "content"}
        for status, response in operation["responses"].items()
    }
    return {
        **operation,
        "operationId": f"{endpoint.name}Head",
        "summary": f"The headers of the answer of GET: {endpoint.summary[:1].lower()}{endpoint.summary[1:]}",
        "responses": responses,
    }


def _tag_of(endpoint: Endpoint) -> str:
    return endpoint.path.split("/")[1]


def _parameters(endpoint: Endpoint) -> list[Schema]:
    schema = endpoint.parameters.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    parameters = []
    for name, described in schema.get("properties", {}).items():
        in_path = f"{{{name}}}" in endpoint.path
        inner = {key: value for key, value in _given(described).items() if key not in {"title", "description"}}
        parameters.append(
            {
                "name": name,
                "in": "path" if in_path else "query",
                "required": name in required,
                **({"description": told} if (told := _told(described)) else {}),
                "schema": inner,
            }
        )
    return parameters


def _given(described: Schema) -> Schema:
    """
    Return what a parameter is if it is given: in a query there is no null.
    """
    if "anyOf" not in described:
        return described
    [given] = [choice for choice in described["anyOf"] if choice.get("type") != "null"]
    return dict(given)


def _told(described: Schema) -> str | None:
    told = described.get("description") or _given(described).get("description")
    return str(told) if told else None


def _responses(endpoint: Endpoint, names: Mapping[type[BaseModel], str]) -> Schema:
    content: Schema = {}
    if endpoint.answer is not None:
        content[JSON] = {"schema": {"$ref": REFERENCE.format(model=names[endpoint.answer])}}
    for media in endpoint.others:
        content[media] = {"schema": {"type": "string"}}
    headers = {
        **(_TAG if endpoint.revalidates else {}),
        **(_LINK if endpoint.answer is not None and issubclass(endpoint.answer, Page) else {}),
    }
    told = "; ".join(endpoint.others.values()) or HTTPStatus(endpoint.status).phrase
    answer: Schema = {"description": told, "content": content}
    if headers:
        answer["headers"] = headers
    responses: Schema = {str(endpoint.status): answer}
    if endpoint.revalidates:
        responses["304"] = {"description": "As the client knows it, by `If-None-Match`", "headers": _TAG}
    for status in endpoint.statuses:
        responses[str(status)] = _problem(status, names)
    return responses


def _problem(status: int, names: Mapping[type[BaseModel], str]) -> Schema:
    described: Schema = {
        "description": PROBLEMS[status],
        "content": {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model=names[Problem])}}},
    }
    if status in PROBLEM_HEADERS:
        described["headers"] = PROBLEM_HEADERS[status]
    return described
