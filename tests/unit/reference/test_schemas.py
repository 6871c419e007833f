from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.cases.simulation_cases import SimulationCase, simulation_cases
from tests.schemas import EXAMPLES, REPOSITORY, closed_validator, schema_named

from rooftree.authorization import Authorizer
from rooftree.contracts import decode_change
from rooftree.contracts.audit import AUDIT_DATA_MODELS, AuditEnvelope
from rooftree.contracts.changes import DATA_MODELS
from rooftree.contracts.simulation import answer_document, layers_document, read_simulation
from rooftree.demo import demo_events
from rooftree.errors import ChangeError
from rooftree.reference.files import stale_files
from rooftree.reference.schemas import Direction, published_schemas

SCHEMAS = published_schemas()
EVENTS = sorted(path for path in EXAMPLES.iterdir())
CHANGES = [path for path in EVENTS if json.loads(path.read_bytes())["type"] in DATA_MODELS]

SNAPSHOT = {
    "organization": {"id": "o-exampleorg", "management_account_id": "111111111111", "feature_set": "ALL"},
    "root": {"id": "r-ab12", "policy_types": ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]},
    "organizational_units": [{"id": "ou-ab12-aaaaaaaa", "name": "Workloads", "parent_id": "r-ab12"}],
    "accounts": [
        {
            "id": "222222222222",
            "name": "shop-prod",
            "email": "shop@example.com",
            "parent_id": "ou-ab12-aaaaaaaa",
            "status": "ACTIVE",
        }
    ],
    "policies": [
        {
            "id": "p-examplepol",
            "name": "DenyLeaving",
            "type": "SERVICE_CONTROL_POLICY",
            "content": {"Version": "2012-10-17", "Statement": []},
        }
    ],
    "attachments": [{"policy_id": "p-FullAWSAccess", "target_id": "r-ab12"}],
}


def test_what_is_generated_is_up_to_date() -> None:
    """
    If this fails, a model, a setting, a metric or a command has changed: run `make schemas` and commit what it writes.
    """
    assert [] == stale_files(REPOSITORY), "run `make schemas`"


def test_a_file_that_differs_or_is_left_over_is_noticed(tmp_path: Path) -> None:
    """
    In a checkout without any, each of them; and one that nothing generates.
    """
    left_over = tmp_path / "schemas" / "events" / "rooftree.account.renamed.v1.json"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("{}")

    stale = stale_files(tmp_path)

    assert {"schemas/asyncapi.json", "schemas/openapi.json", "docs/reference/settings.md"} <= set(stale)
    assert left_over.relative_to(tmp_path).as_posix() in stale


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_every_schema_is_one(schema: Any) -> None:
    """
    Of the dialect that it names.
    """
    Draft202012Validator.check_schema(schema.schema)
    Draft202012Validator.check_schema(schema.closed)


def test_every_type_of_event_has_a_schema() -> None:
    """
    What the models name, and nothing else.
    """
    [types] = [get_args(AuditEnvelope.model_fields["type"].annotation)]
    named = {schema.name for schema in SCHEMAS if schema.path.startswith("events/")}

    assert set(types) == AUDIT_DATA_MODELS.keys()
    assert {*DATA_MODELS, *types, "rooftree.account.permissions.v1"} == named


def test_what_the_service_writes_may_gain_fields() -> None:
    """
    A consumer who validates by a published schema is not broken by the next version.
    """
    schema = schema_named("rooftree.account.permissions.v1")

    assert Direction.OUT is schema.direction
    assert "false" not in json.dumps(schema.schema).replace('"exact": false', "")
    assert '"additionalProperties": false' in json.dumps(schema.closed)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_published_events_still_fit_their_schemas(path: Path) -> None:
    """
    Each event of version 1 that was ever published as an example.
    """
    event = json.loads(path.read_bytes())

    closed_validator(event["type"]).validate(event)


@pytest.mark.parametrize("path", CHANGES, ids=lambda path: path.stem)
def test_published_changes_still_decode(path: Path) -> None:
    """
    To a change of the type that they name.
    """
    change = decode_change(path.read_bytes())

    assert (json.loads(path.read_bytes())["type"], "o-exampleorg") == (change.type, change.organization_id)


def test_there_is_an_example_of_every_type() -> None:
    """
    Of what comes in and of what goes out.
    """
    shown = {json.loads(path.read_bytes())["type"] for path in EVENTS}

    assert {schema.name for schema in SCHEMAS if schema.path.startswith("events/")} == shown


@pytest.mark.parametrize("event_type", DATA_MODELS)
def test_schema_and_decoder_refuse_the_same(event_type: str) -> None:
    """
    Every required field that is taken away, and every text that is made a number.
    """
    event = json.loads((EXAMPLES / f"{event_type}.json").read_bytes())
    validator = closed_validator(str(event_type))
    for broken in _broken(event, schema_named(str(event_type)).schema):
        with pytest.raises(ChangeError):
            decode_change(json.dumps(broken).encode())
        assert not validator.is_valid(broken)


def _broken(event: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    data = schema["$defs"][schema["properties"]["data"]["$ref"].removeprefix("#/$defs/")]
    assert data["required"], "some field has to be there"
    for name in schema["required"]:
        yield {key: value for key, value in event.items() if key != name}
    for name in data["required"]:
        yield {**event, "data": {key: value for key, value in event["data"].items() if key != name}}
    for name, value in event["data"].items():
        if isinstance(value, str) and name != "content":
            yield {**event, "data": {**event["data"], name: 1}}


def test_every_event_of_the_demo_fits() -> None:
    """
    The snapshot and all that follows it.
    """
    for event in demo_events():
        closed_validator(str(event["type"])).validate(event)


def test_the_snapshot_of_the_contract_fits() -> None:
    """
    With the content of a policy as an object, and as its text.
    """
    validator = closed_validator("organization-snapshot")
    [policy] = SNAPSHOT["policies"]
    as_text = {**SNAPSHOT, "policies": [{**policy, "content": json.dumps(policy["content"])}]}

    validator.validate(SNAPSHOT)
    validator.validate(as_text)
    assert not validator.is_valid({**SNAPSHOT, "root": {"id": "ab12"}})


@pytest.mark.parametrize("case", simulation_cases(), ids=str)
def test_simulations_and_their_answers_fit(case: SimulationCase) -> None:
    """
    Every case that `rooftree simulate` is tested by.
    """
    simulation = read_simulation(case.line)
    answer = Authorizer(simulation.policies).explain(simulation.request)
    document = {"id": case.line["id"], **answer_document(answer), "layers": layers_document(answer)}

    closed_validator("simulation-request").validate(case.line)
    closed_validator("simulation-answer").validate(document)


def test_the_api_is_described_in_openapi() -> None:
    """
    As its specification wants it.
    """
    description = json.loads((REPOSITORY / "schemas" / "openapi.json").read_text(encoding="utf-8"))

    assert "3.1" == description["openapi"][:3]
    OpenAPIV31SpecValidator(description).validate()


def test_the_description_of_the_api_speaks_json_schema_alone() -> None:
    """
    A keyword of another language, such as the bounds of a Python library, would bind nobody who reads it.
    """
    description = json.loads((REPOSITORY / "schemas" / "openapi.json").read_text(encoding="utf-8"))
    used = {keyword for schema in _schemas_in(description) for keyword in schema}

    assert {"minimum", "maximum", "pattern"} <= used
    assert set() == used - KEYWORDS


KEYWORDS = {
    *("$ref", "type", "const", "enum", "default", "title", "description", "format", "discriminator"),
    *("anyOf", "oneOf", "allOf", "items", "minItems", "maxItems", "minLength", "maxLength", "pattern"),
    *("minimum", "maximum", "properties", "required", "additionalProperties", "propertyNames"),
}


def _schemas_in(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (inner for schema in description["components"]["schemas"].values() for inner in _with_inner(schema))
    for path in description["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                yield from _with_inner(parameter["schema"])


def _with_inner(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    inner = [*schema.get("properties", {}).values(), *(schema.get(name) for name in ("items", "additionalProperties"))]
    inner += [choice for name in ("anyOf", "oneOf", "allOf") for choice in schema.get(name, [])]
    for one in inner:
        if isinstance(one, dict):
            yield from _with_inner(one)
