"""
The description of the API in OpenAPI 3.1.
"""

from __future__ import annotations

from typing import Final

from rooftree import __version__
from rooftree.api.query import DEFAULT_LIMIT, MAX_LIMIT

__all__ = ["SCHEMAS", "describe"]

Schema = dict[str, object]

PARAMETERS: Final[dict[str, Schema]] = {
    "organization_id": {
        "name": "organization_id",
        "in": "query",
        "description": "The organization; may be left out where there is only one, or where an account is named",
        "schema": {"type": "string", "pattern": "^o-[a-z0-9]{10,32}$"},
    },
    "account_path": {
        "name": "account_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]{12}$"},
    },
    "account_id": {
        "name": "account_id",
        "in": "query",
        "description": "Only events of this account",
        "schema": {"type": "string", "pattern": "^[0-9]{12}$"},
    },
    "at": {
        "name": "at",
        "in": "query",
        "description": "As it was at this time",
        "schema": {"type": "string", "format": "date-time"},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "`next` of the page before",
        "schema": {"type": "string"},
    },
}

TEXT: Final[Schema] = {"type": "string"}
OPTIONAL_TEXT: Final[Schema] = {"type": ["string", "null"]}
TIME: Final[Schema] = {"type": "string", "format": "date-time"}
OPTIONAL_TIME: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
NUMBER: Final[Schema] = {"type": "integer"}
TRUTH: Final[Schema] = {"type": "boolean"}

ACCOUNT: Final[dict[str, Schema]] = {
    "organization_id": TEXT,
    "account_id": TEXT,
    "account_name": TEXT,
    "email": OPTIONAL_TEXT,
    "status": TEXT,
    "path": {"type": "array", "items": TEXT, "description": "The nodes from the root to the account"},
    "permissions_id": OPTIONAL_TEXT,
    "revision": NUMBER,
    "complete": {**TRUTH, "description": "Whether nothing is known to be missing"},
    "since": TIME,
    "until": {**OPTIONAL_TIME, "description": "Null while this holds"},
    "cause_event_id": TEXT,
}

SCHEMAS: Final[dict[str, dict[str, Schema]]] = {
    "Organization": {
        "organization_id": TEXT,
        "revision": NUMBER,
        "complete": TRUTH,
        "incomplete_since": OPTIONAL_TIME,
        "incomplete_reason": OPTIONAL_TEXT,
    },
    "Account": ACCOUNT,
    "AccountPermissions": {**ACCOUNT, "permissions": {"type": ["object", "null"]}},
    "AuditEvent": {
        "specversion": {"const": "1.0"},
        "id": TEXT,
        "source": TEXT,
        "type": TEXT,
        "subject": TEXT,
        "time": TIME,
        "datacontenttype": {"const": "application/json"},
        "sequence": TEXT,
        "part": NUMBER,
        "parts": NUMBER,
        "partitionkey": TEXT,
        "data": {"type": "object"},
    },
    "Probe": {
        "organization_id": TEXT,
        "name": TEXT,
        "principal": TEXT,
        "action": TEXT,
        "resource": TEXT,
        "context": {"type": "object"},
        "expect": {"enum": ["allow", "deny"]},
        "account_id": OPTIONAL_TEXT,
        "decision": {"enum": ["allow", "implicit_deny", "explicit_deny", "unknown"]},
        "as_expected": {"type": ["boolean", "null"], "description": "Null while the decision is not known"},
        "blocked_by": {"type": "array", "items": TEXT},
        "decided_by": {"type": "array", "items": {"type": "object"}},
        "missing": {"type": "array", "items": TEXT, "description": "What is not known, where that leaves it open"},
        "since": TIME,
        "cause_event_id": TEXT,
    },
    "Problem": {"type": TEXT, "title": TEXT, "status": NUMBER, "detail": TEXT},
}


def describe() -> Schema:
    """
    Return the description as JSON.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rooftree",
            "version": __version__,
            "description": "What the accounts of AWS organizations may do at most, and what has changed about it",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "parameters": PARAMETERS,
            "schemas": {name: _object(fields) for name, fields in SCHEMAS.items()},
        },
    }


def _paths() -> dict[str, Schema]:
    account = "/api/v1/accounts/{account_id}"
    page = ("limit", "cursor")
    return {
        "/api/v1/organizations": _list("List the organizations", "Organization"),
        "/api/v1/accounts": _list("List the accounts by id", "Account", "organization_id", "at", *page),
        account: _one("Return one account", "Account", "account_path", "organization_id", "at"),
        f"{account}/permissions": _one(
            "Return what an account may do at most", "AccountPermissions", "account_path", "organization_id", "at"
        ),
        f"{account}/history": _list(
            "List what an account was, the latest first", "Account", "account_path", "organization_id", *page
        ),
        "/api/v1/audit": _list(
            "List audit events, the latest first", "AuditEvent", "organization_id", "account_id", *page
        ),
        "/api/v1/probes": _list("List the probes by name", "Probe", "organization_id"),
    }


def _list(summary: str, schema: str, *parameters: str) -> Schema:
    page = _object({"items": {"type": "array", "items": _schema(schema)}, "next": OPTIONAL_TEXT})
    return {"get": _operation(summary, page, parameters)}


def _one(summary: str, schema: str, *parameters: str) -> Schema:
    return {"get": _operation(summary, _schema(schema), parameters)}


def _operation(summary: str, schema: Schema, parameters: tuple[str, ...]) -> Schema:
    problem = {"description": "An error", "content": {"application/problem+json": {"schema": _schema("Problem")}}}
    return {
        "summary": summary,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
        "responses": {
            "200": {"description": "The answer", "content": {"application/json": {"schema": schema}}},
            "default": problem,
        },
    }


def _schema(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(fields: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": fields, "required": list(fields)}
