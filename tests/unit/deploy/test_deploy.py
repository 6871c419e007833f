from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.schemas import REPOSITORY

import rooftree
from rooftree.cli.commands import COMMANDS
from rooftree.settings import PREFIX, describe_settings, load_settings
from rooftree.telemetry.logs import Action
from rooftree.telemetry.metrics import METRICS_REGISTRY

DEPLOY = REPOSITORY / "deploy"
CHART = DEPLOY / "helm" / "rooftree"
RULES = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
RULE_TESTS = yaml.safe_load((CHART / "files" / "rules.test.yaml").read_text())
DASHBOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))

VARIABLES = {setting.variable for setting in describe_settings()}

# Of kube-state-metrics.
FOREIGN_METRICS = {"kube_job_status_failed"}


def _exported() -> set[str]:
    names = set()
    for collector in list(METRICS_REGISTRY._collector_to_names):
        for family in collector.describe():  # type: ignore[attr-defined]
            endings = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}[family.type]
            names |= {f"{family.name}{ending}" for ending in endings}
    return names


def _expressions() -> Iterator[str]:
    for group in RULES["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for path in MANIFESTS:
        yield from re.findall(r"query: (.*rooftree_.*)", path.read_text())


def _containers(path: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for document in yaml.safe_load_all(path.read_text()):
        spec = document.get("spec", {}) if document else {}
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template is not None and document["kind"] in {"Deployment", "Job", "CronJob"}:
            pod = template["spec"]
            yield from ((document["kind"], pod, container) for container in pod["containers"])


def test_every_metric_that_is_looked_at_exists() -> None:
    """
    In alerts, on the dashboard and where projectors are scaled.
    """
    expressions = list(_expressions())
    named = {name for text in expressions for name in re.findall(r"\b(?:rooftree|kube)_[a-z_]+", text)}

    assert len(expressions) > 30
    assert set() == named - _exported() - FOREIGN_METRICS


def test_every_action_that_is_looked_at_exists() -> None:
    """
    The word that is logged is the label that is counted.
    """
    named = {action for text in _expressions() for action in re.findall(r'action="([^"]+)"', text)}

    assert named
    assert named <= {action.value for action in Action}


def test_every_alert_is_seen_to_fire() -> None:
    """
    In a test of the rules, and its summary says something.
    """
    alerts = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
    fired = {
        check["alertname"] for test in RULE_TESTS["tests"] for check in test["alert_rule_test"] if check["exp_alerts"]
    }

    assert alerts.keys() == fired
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in alerts.values())


def test_every_alert_says_in_the_manual_what_to_do() -> None:
    """
    Under its own name.
    """
    manual = (REPOSITORY / "docs" / "alerts.md").read_text(encoding="utf-8")

    assert [] == [
        rule["alert"] for group in RULES["groups"] for rule in group["rules"] if f"`{rule['alert']}`" not in manual
    ]


@pytest.mark.parametrize(
    "path",
    [
        DEPLOY / "compose" / "compose.yaml",
        DEPLOY / "container" / "Dockerfile",
        CHART / "values.yaml",
        CHART / "ci" / "everything.yaml",
        *MANIFESTS,
    ],
    ids=lambda path: path.name,
)
def test_every_variable_is_a_setting(path: Path) -> None:
    """
    A misspelled one would be passed over in silence.
    """
    text = re.sub(r"\$\{[^}]*\}", "", path.read_text())
    named = set(re.findall(r"\b(ROOFTREE_[A-Z0-9_]+)(?=[:=\s])", text))

    assert named
    assert named <= VARIABLES


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_value_is_one_that_its_setting_takes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Numbers too: Helm would write a large one with an exponent.
    """
    for _, _, container in _containers(path):
        with monkeypatch.context() as environment:
            for variable in container["env"]:
                environment.setenv(variable["name"], variable.get("value", "a secret of another place"))
            named = {variable["name"].removeprefix(PREFIX).lower() for variable in container["env"]}
            assert named <= load_settings().model_fields_set


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_file_that_a_setting_names_is_mounted(path: Path) -> None:
    """
    In each container, those of jobs too: they come to PostgreSQL as the others do.
    """
    for _, pod, container in _containers(path):
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        mounted = [one["mountPath"] for one in container.get("volumeMounts", []) if one["name"] in volumes]
        files = [one["value"] for one in container["env"] if one["name"].endswith("FILE")]
        assert [] == [file for file in files if str(Path(file).parent) not in mounted]


def test_every_role_is_a_command() -> None:
    """
    In the compose file and in the manifests.
    """
    commands = set(COMMANDS)
    roles = {service["command"][0] for service in COMPOSE["services"].values() if "command" in service}
    roles |= {container["args"][0] for path in MANIFESTS for _, _, container in _containers(path)}

    assert {"projector", "relay", "api", "migrate", "verify"} <= roles
    assert roles <= commands


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_no_container_may_more_than_it_needs(path: Path) -> None:
    """
    No root, no writing, no privileges, no token of Kubernetes; and bounds on what it takes.
    """
    found = list(_containers(path))

    assert {"default": 5, "everything": 7}[path.stem] == len(found)
    for kind, pod, container in found:
        security = container["securityContext"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert "RuntimeDefault" == pod["securityContext"]["seccompProfile"]["type"]
        assert not pod["automountServiceAccountToken"]
        assert security["readOnlyRootFilesystem"]
        assert not security["allowPrivilegeEscalation"]
        assert ["ALL"] == security["capabilities"]["drop"]
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
        assert kind != "Deployment" or {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()


def test_secrets_are_referred_to_and_never_written_down() -> None:
    """
    By the manifests, which come from the chart; an address of PostgreSQL stands there without its password.
    """
    secret = {setting.variable for setting in describe_settings() if setting.secret}
    for path in MANIFESTS:
        for _, _, container in _containers(path):
            written = {variable["name"]: variable["value"] for variable in container["env"] if "value" in variable}
            assert "@" not in written.pop("ROOFTREE_POSTGRES_DSN")
            assert not written.keys() & secret


def _logins() -> Iterator[tuple[str, str, object]]:
    for path in MANIFESTS:
        for _, _, container in _containers(path):
            given = {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}
            yield container["args"][0], given["ROOFTREE_POSTGRES_USER"], given["ROOFTREE_POSTGRES_PASSWORD"]
    for service in COMPOSE["services"].values():
        if "command" in service:
            given = service["environment"]
            yield service["command"][0], given["ROOFTREE_POSTGRES_USER"], given["ROOFTREE_POSTGRES_PASSWORD"]


def test_each_process_comes_to_postgresql_by_its_own_login() -> None:
    """
    In the role of its work, with a password that no other process is given; the owner of the schema only migrates.
    """
    made = set(re.findall(r"\('([a-z]+)', :'", (DEPLOY / "postgres" / "logins.sql").read_text()))
    wanted = {name: name for name in ("projector", "relay", "reconciler", "webhooks", "api")} | {"verify": "verifier"}
    found = list(_logins())
    users = {(command, user) for command, user, _ in found if command != "migrate"}
    holders: dict[str, set[str]] = {}
    for command, _, password in found:
        holders.setdefault(json.dumps(password), set()).add(command)

    assert set(wanted.values()) == made
    assert {(command, f"app_{worker}") for command, worker in wanted.items()} == users
    assert {"rooftree", "rooftree_owner"} == {user for command, user, _ in found if command == "migrate"}
    assert {1} == {len(commands) for commands in holders.values()}


def test_versions_agree() -> None:
    """
    Of the package, the chart and the image in the compose file.
    """
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert rooftree.__version__ == chart["appVersion"] == chart["version"]
    assert f"rooftree:{rooftree.__version__}" == COMPOSE["services"]["api"]["image"]


def test_the_manifests_are_those_of_the_chart() -> None:
    """
    As far as can be told without Helm: rules and dashboard stand in them word by word.
    """
    everything = {
        document["kind"]: document
        for document in yaml.safe_load_all((DEPLOY / "kubernetes" / "everything.yaml").read_text())
        if document
    }

    assert RULES == everything["PrometheusRule"]["spec"]
    assert DASHBOARD == json.loads(everything["ConfigMap"]["data"]["rooftree.json"])
