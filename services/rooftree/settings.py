"""
Every setting of the service, read once from ``ROOFTREE_*`` variables into one frozen object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from rooftree.errors import UsageError

__all__ = [
    "PREFIX",
    "Assignment",
    "LogFormat",
    "LogLossPolicy",
    "PostgresSslMode",
    "SaslMechanism",
    "SecurityProtocol",
    "SettingDescription",
    "Settings",
    "Traces",
    "describe_settings",
    "load_settings",
]

PREFIX = "ROOFTREE_"


class SecurityProtocol(StrEnum):
    """
    How the connection to Kafka is protected.
    """

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """
    How the service proves to Kafka who it is.
    """

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class PostgresSslMode(StrEnum):
    """
    How the connection to PostgreSQL is protected, in the words of its own clients.
    """

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class Assignment(StrEnum):
    """
    How a projector comes by its partitions.
    """

    GROUP = "group"
    ALL = "all"


class LogLossPolicy(StrEnum):
    """
    What happens when the broker has lost records that were not read yet.
    """

    STOP = "stop"
    RESUME = "resume"


class Traces(StrEnum):
    """
    Where spans go.
    """

    OFF = "off"
    OTLP = "otlp"


class LogFormat(StrEnum):
    """
    How log lines look.
    """

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


def _valid_dsn(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        msg = "should start with postgresql://"
        raise ValueError(msg)
    return value


def _valid_servers(value: str) -> str:
    for server in value.split(","):
        host, separator, port = server.strip().rpartition(":")
        if not (separator and host and port.isdigit() and 0 < int(port) < 65536):
            msg = f"`{server.strip()}` is not HOST:PORT"
            raise ValueError(msg)
    return value


def _valid_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"} or parts.query:
        msg = "should be http:// or https:// with a host and nothing after it"
        raise ValueError(msg)
    return value.rstrip("/")


Dsn = Annotated[SecretStr, AfterValidator(_valid_dsn)]
Servers = Annotated[str, AfterValidator(_valid_servers)]
TopicName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Settings(BaseSettings):
    """
    What an operator may choose.

    Every field is read from the variable of its name in capitals after ``ROOFTREE_``; an empty variable counts as not set.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True, extra="forbid")

    kafka_bootstrap: Servers = Field(
        "127.0.0.1:9092", description="Kafka servers to ask first, HOST:PORT with commas between"
    )
    kafka_client_id: str = Field("rooftree", description="Name under which this process appears in the logs of Kafka")
    kafka_security_protocol: SecurityProtocol = Field(
        SecurityProtocol.PLAINTEXT, description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: SaslMechanism = Field(
        SaslMechanism.SCRAM_SHA_512, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; used with the SASL protocols"
    )
    kafka_sasl_username: str | None = Field(None, description="User name for SASL")
    kafka_sasl_password: SecretStr | None = Field(None, description="Password for SASL")
    kafka_ssl_cafile: Path | None = Field(
        None, description="Certificates of authorities to trust; the system's own if not set"
    )
    kafka_ssl_certfile: Path | None = Field(None, description="Certificate of this client, for mutual TLS")
    kafka_ssl_keyfile: Path | None = Field(None, description="Key of this client, for mutual TLS")
    kafka_ssl_key_password: SecretStr | None = Field(None, description="Password of that key, if it has one")
    kafka_request_timeout: Seconds = Field(30, description="Seconds until a request to Kafka counts as failed")
    kafka_session_timeout: Seconds = Field(
        30, description="Seconds without a heartbeat after which a projector's partitions go to others"
    )
    kafka_fetch_max_wait_ms: int = Field(
        10, ge=1, le=60_000, description="Milliseconds for which a broker may hold back an empty answer to a fetch"
    )
    kafka_max_message_bytes: int = Field(
        8 * 1024 * 1024, ge=65_536, le=1024**3, description="Largest record to ask for or to send, in bytes"
    )
    kafka_idempotence: bool = Field(
        True, description="Whether the producer is idempotent; turn off where the broker cannot"
    )

    consumer_group: TopicName = Field(
        "rooftree-projector", description="Name under which offsets are kept and partitions shared"
    )
    partition_assignment: Assignment = Field(
        Assignment.GROUP, description="group: projectors share the partitions; all: this one reads every partition"
    )
    changes_topic: TopicName = Field("rooftree.changes", description="Topic that is read")
    audit_topic: TopicName = Field("rooftree.audit", description="Topic for audit events")
    permissions_topic: TopicName = Field(
        "rooftree.permissions", description="Compacted topic for the state of each account"
    )
    dead_letter_topic: TopicName = Field(
        "rooftree.dead_letter", description="Topic for records that could not be processed"
    )
    topic_partitions: int = Field(6, ge=1, le=10_000, description="Partitions of topics that do not exist yet")
    topic_replication: int = Field(
        0,
        ge=0,
        le=100,
        description="Replicas of topics that do not exist yet; 0: three, or as many as there are brokers",
    )
    create_topics: bool = Field(True, description="Whether missing topics are created")
    on_log_loss: LogLossPolicy = Field(
        LogLossPolicy.STOP,
        description="When the broker has lost unread records: stop, or resume and mark every organization incomplete",
    )

    postgres_dsn: Dsn = Field(
        SecretStr("postgresql://rooftree@127.0.0.1:5432/rooftree"), description="PostgreSQL to keep the view in"
    )
    postgres_user: str | None = Field(None, description="User for PostgreSQL, where the DSN names none")
    postgres_password: SecretStr | None = Field(None, description="Password for PostgreSQL, where the DSN holds none")
    postgres_ssl_mode: PostgresSslMode | None = Field(
        None,
        description="disable, prefer, require, verify-ca or verify-full; if not set, as the DSN says, "
        "and verify-full with POSTGRES_SSL_CAFILE",
    )
    postgres_ssl_cafile: Path | None = Field(None, description="Certificates of authorities to trust for PostgreSQL")
    postgres_ssl_certfile: Path | None = Field(
        None, description="Certificate of this client, where PostgreSQL asks for one"
    )
    postgres_ssl_keyfile: Path | None = Field(None, description="Key of that certificate")
    postgres_ssl_key_password: SecretStr | None = Field(None, description="Password of that key, if it has one")
    postgres_pool_size: int = Field(8, ge=2, le=200, description="Most connections of one process")
    postgres_connect_timeout: Seconds = Field(
        10, description="Seconds until opening or waiting for a connection counts as failed"
    )
    postgres_command_timeout: Seconds = Field(120, description="Seconds until a statement counts as failed")
    postgres_lock_timeout: Seconds = Field(
        30, description="Seconds until a statement that waits for another session's lock counts as failed"
    )
    postgres_idle_timeout: Seconds = Field(
        30,
        description="Seconds of silence within a transaction after which PostgreSQL ends it: what a worker that hangs "
        "may hold up others",
    )
    postgres_slow_statement: Seconds = Field(1, description="Seconds from which on a statement is told of in the log")
    postgres_statement_cache: int = Field(
        256,
        ge=0,
        le=10_000,
        description="Prepared statements kept; 0 behind a pooler that shares sessions between transactions",
    )

    batch_max_records: int = Field(500, ge=1, le=10_000, description="Most records in one transaction")
    batch_max_rows: int = Field(
        20_000,
        ge=1,
        le=1_000_000,
        description="Rows of accounts at which a transaction is ended and the rest left to the next",
    )
    batch_max_wait: Seconds = Field(
        0.25, description="Seconds for which the projector waits for records before it looks around"
    )
    clock_skew: Seconds = Field(
        3600,
        description="Seconds by which the time of a change may lie ahead of when the broker took it; later ones are parked",
    )
    view_cache_size: int = Field(
        256, ge=1, le=100_000, description="Most organizations that a projector keeps in memory"
    )
    retry_max_delay: Seconds = Field(15, description="Longest pause in seconds between attempts while a server is away")
    stall_timeout: Seconds = Field(
        120, description="Seconds without progress on an assigned, lagging partition that count as a fault"
    )
    relay_poll_interval: Seconds = Field(1, description="Seconds between looks into the outbox when nothing nudges")
    relay_batch_size: int = Field(1000, ge=1, le=100_000, description="Most outbox rows sent before they are marked")
    outbox_retention: Seconds = Field(
        3600, description="Seconds for which outbox rows are kept; what is not sent stays"
    )
    drain_timeout: Seconds = Field(10, description="Seconds for finishing work in hand after SIGTERM or SIGINT")

    aws_profile: str | None = Field(None, description="Profile of the AWS configuration to read AWS with")
    aws_role_arn: str | None = Field(
        None,
        pattern=r"^arn:[a-z-]+:iam::\d{12}:role/",
        description="Role to assume for that, in the management account or that of a delegated administrator",
    )
    aws_external_id: str | None = Field(None, description="External id that this role asks for")
    aws_region: str = Field("us-east-1", description="Region of the endpoints of AWS Organizations and IAM")
    aws_endpoint_url: str | None = Field(None, pattern="^https?://", description="Another address of AWS")
    aws_iam_role_name: str = Field(
        "OrganizationAccountAccessRole",
        pattern=r"^[\w+=,.@/-]+$",
        max_length=576,
        description="Role to assume in each account to read its principals, path included",
    )
    aws_rate_share: float = Field(
        0.8,
        gt=0,
        le=1000,
        description="How much of the documented rates of AWS to use; more than 1 where AWS grants more",
    )
    aws_resume_age: Seconds = Field(
        3600, description="Seconds for which what an interrupted `rooftree import aws` has read is of use to the next"
    )
    reconcile: bool = Field(False, description="Whether `rooftree up` also compares the organization with AWS")
    reconcile_interval: Seconds = Field(3600, description="Seconds from one comparison with AWS to the next")
    reconcile_grace: Seconds = Field(
        60,
        description="Seconds by which AWS may lag behind itself: what it says counts as of so long before it was asked",
    )
    reconcile_patience: Seconds = Field(
        120, description="Seconds for which a difference must last before its event counts as lost"
    )
    reread_interval: Seconds = Field(
        5, description="Seconds between looks for objects that events did not tell enough about"
    )

    http_host: str = Field("127.0.0.1", description="Address on which the API listens")
    http_port: int = Field(8080, ge=0, le=65_535, description="Port on which the API listens; 0: a free one")
    public_url: Annotated[str, AfterValidator(_valid_address)] | None = Field(
        None, description="Address under which browsers reach the dashboard, such as https://rooftree.example.com"
    )
    http_trusted_proxies: str = Field(
        "",
        description="Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, with commas between",
    )
    http_rate_limit: int = Field(
        1200, ge=0, le=1_000_000, description="Requests a minute of one token or person; 0: no limit"
    )
    http_sign_in_limit: int = Field(
        30, ge=0, le=1_000_000, description="Failed proofs of identity a minute from one address; 0: no limit"
    )
    http_max_body_bytes: int = Field(
        4 * 1024 * 1024, ge=65_536, le=1024**3, description="Largest body of a request, in bytes"
    )
    http_body_timeout: Seconds = Field(30, description="Seconds within which the body of a request must have come")
    http_max_connections: int = Field(
        1000, ge=1, le=1_000_000, description="Connections above which new requests are turned away"
    )
    oidc_issuer: str | None = Field(
        None, description="Identity provider by which people sign in, as it calls itself; needs ROOFTREE_PUBLIC_URL"
    )
    oidc_client_id: str | None = Field(None, description="What the identity provider calls this service")
    oidc_client_secret: SecretStr | None = Field(None, description="What it knows this service by, if it has a secret")
    oidc_scopes: str = Field("openid profile email", description="What the identity provider is asked to tell")
    oidc_claim: str = Field("groups", description="Claim that decides who may what; dots lead into objects")
    oidc_grants: str = Field(
        "",
        description="Who may what: VALUE=ROLE:* or VALUE=ROLE:ORGANIZATION,… with semicolons between; others may nothing",
    )
    webhook_timeout: Annotated[float, Field(gt=0, le=300)] = Field(
        15, description="Seconds for one attempt at a webhook"
    )
    webhook_poll_interval: Seconds = Field(1, description="Seconds between looks for webhooks to be sent")
    webhook_allow_private: bool = Field(
        False, description="Whether webhooks may go to private and loopback addresses, and without TLS"
    )
    session_lifetime: Seconds = Field(12 * 3600, description="Seconds after which a browser must sign in again")
    session_idle: Seconds = Field(
        3600, description="Seconds without a request after which a browser must sign in again"
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="Port on http_host for the metrics of a projector or relay that runs alone; 0: none",
    )
    question_processes: int = Field(
        2, ge=1, le=64, description="Processes for questions about all accounts: what-if, who-can, diff"
    )
    question_timeout: Seconds = Field(60, description="Seconds after which such a question is given up")
    admin_token: SecretStr | None = Field(None, description="Bearer token that may do everything", min_length=16)
    data_dir: Path = Field(
        Path(".rooftree"), description="Where `rooftree up` keeps its database and its run-time file"
    )
    log_format: LogFormat = Field(LogFormat.AUTO, description="auto: JSON unless on a terminal; json; console")
    traces: Traces = Field(
        Traces.OFF,
        description="off; otlp: to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, which needs `rooftree[otel]`",
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")

    @model_validator(mode="after")
    def _belongs_together(self) -> Settings:
        faults = [*self._kafka_faults(), *self._postgres_faults(), *self._sign_in_faults()]
        topics = [self.changes_topic, self.audit_topic, self.permissions_topic, self.dead_letter_topic]
        if len(set(topics)) != len(topics):
            faults.append("the four topics need four names")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _kafka_faults(self) -> list[str]:
        # A secret that is given and not used is a mistake that would go unnoticed for long.
        protocol, faults = self.kafka_security_protocol, []
        named = (self.kafka_sasl_username, self.kafka_sasl_password)
        if protocol.startswith("SASL") and not all(named):
            faults.append("KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed with a SASL protocol")
        if not protocol.startswith("SASL") and any(named):
            faults.append("KAFKA_SASL_* is given, but KAFKA_SECURITY_PROTOCOL is none of the SASL protocols")
        if not protocol.endswith("SSL") and any((self.kafka_ssl_cafile, self.kafka_ssl_certfile)):
            faults.append("KAFKA_SSL_* is given, but KAFKA_SECURITY_PROTOCOL is neither SSL nor SASL_SSL")
        if bool(self.kafka_ssl_certfile) != bool(self.kafka_ssl_keyfile):
            faults.append("KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE are given together or not at all")
        return faults

    def _postgres_faults(self) -> list[str]:
        dsn, faults = urlsplit(self.postgres_dsn.get_secret_value()), []
        files = (self.postgres_ssl_cafile, self.postgres_ssl_certfile, self.postgres_ssl_keyfile)
        if self.postgres_user is not None and "@" in dsn.netloc:
            faults.append("POSTGRES_USER is given, but POSTGRES_DSN names a user already")
        if self.postgres_password is not None and ":" in dsn.netloc.rpartition("@")[0]:
            faults.append("POSTGRES_PASSWORD is given, but POSTGRES_DSN holds a password already")
        if (self.postgres_ssl_mode or any(files)) and re.search(r"(^|&)ssl", dsn.query):
            faults.append("POSTGRES_SSL_* is given, but POSTGRES_DSN says `ssl…` already")
        if self.postgres_ssl_mode is PostgresSslMode.DISABLE and any(files):
            faults.append("POSTGRES_SSL_* is given, but POSTGRES_SSL_MODE is disable")
        if self.postgres_ssl_mode in (PostgresSslMode.PREFER, PostgresSslMode.REQUIRE) and self.postgres_ssl_cafile:
            faults.append("POSTGRES_SSL_CAFILE is given, but this POSTGRES_SSL_MODE trusts any server")
        if bool(self.postgres_ssl_certfile) != bool(self.postgres_ssl_keyfile):
            faults.append("POSTGRES_SSL_CERTFILE and POSTGRES_SSL_KEYFILE are given together or not at all")
        if self.postgres_ssl_key_password is not None and self.postgres_ssl_keyfile is None:
            faults.append("POSTGRES_SSL_KEY_PASSWORD is given, but POSTGRES_SSL_KEYFILE is not")
        return faults

    def _sign_in_faults(self) -> list[str]:
        if self.oidc_issuer is None:
            given = (self.oidc_client_id, self.oidc_client_secret, self.oidc_grants)
            return ["OIDC_* is given, but OIDC_ISSUER is not"] if any(given) else []
        needed = {"PUBLIC_URL": self.public_url, "OIDC_CLIENT_ID": self.oidc_client_id, "OIDC_GRANTS": self.oidc_grants}
        return [f"{name} is needed with OIDC_ISSUER" for name, value in needed.items() if not value]

    @property
    def topics(self) -> dict[str, str]:
        """
        The names of the topics by their role.
        """
        return {
            "changes": self.changes_topic,
            "audit": self.audit_topic,
            "permissions": self.permissions_topic,
            "dead_letter": self.dead_letter_topic,
        }


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """
    One setting as ``rooftree config`` lists it.

    Attributes:
        variable: The environment variable.
        default: The default as text; empty for none, and for a secret the default only if it holds no secret.
        description: What it is for, in one line.
        secret: Whether its value must not be shown.
    """

    variable: str
    default: str
    description: str
    secret: bool


def load_settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """
    Read the settings from the environment.

    Args:
        overrides: Values by field name that go before the environment, for example options of a command line.

    Raises:
        UsageError: Something is wrong; the message names every fault, not only the first.
    """
    try:
        return Settings(**(overrides or {}))  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise UsageError("; ".join(_fault(dict(entry)) for entry in error.errors())) from None


def describe_settings() -> list[SettingDescription]:
    """
    List every setting with its default and its purpose, in the order of the class.
    """
    return [
        SettingDescription(
            variable=f"{PREFIX}{name.upper()}",
            default=_shown(field.default),
            description=field.description or "",
            secret="SecretStr" in str(field.annotation),
        )
        for name, field in Settings.model_fields.items()
    ]


def _fault(entry: Mapping[str, object]) -> str:
    location = entry["loc"]
    assert isinstance(location, tuple)
    message = str(entry["msg"]).removeprefix("Value error, ")
    # The value itself stays out of the message: it may be a password.
    lowered = message[:1].lower() + message[1:] if message[:1].isupper() and not message[1:2].isupper() else message
    return f"{PREFIX}{str(location[0]).upper()}: {lowered}" if location else f"{PREFIX}*: {message}"


def _shown(default: object) -> str:
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default)
