"""
Probes: decisions that are watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import orjson
from pydantic import ConfigDict
from starlette.exceptions import HTTPException

from rooftree.access.caller import Role
from rooftree.api.endpoint import Asked, Endpoint, OrganizationQuery
from rooftree.contracts.probe_events import probe_events
from rooftree.contracts.probes import ProbeModel, ProbeName
from rooftree.contracts.resources.decisions import Probe as ProbeAnswer
from rooftree.contracts.resources.envelopes import Accepted, Page
from rooftree.inquiry.documents import probe_answer
from rooftree.organization.probes import Probe

__all__ = ["ENDPOINTS"]

SOURCE: Final = "urn:rooftree:api"


class ProbeQuery(OrganizationQuery):
    """
    Which probe is meant.
    """

    name: ProbeName


class ProbeBody(ProbeModel):
    """
    A named request with the decision that is expected of it.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid")


async def list_probes(asked: Asked[OrganizationQuery, None]) -> Page[ProbeAnswer]:
    """
    List the probes of an organization, by name.
    """
    found = await asked.reader.probes(asked.organization_id)
    return Page[ProbeAnswer](items=[probe_answer(asked.organization_id, state) for state in found], next=None)


async def show_probe(asked: Asked[ProbeQuery, None]) -> ProbeAnswer:
    """
    Return one probe.
    """
    for state in await asked.reader.probes(asked.organization_id):
        if state.probe.name == asked.parameters.name:
            return probe_answer(asked.organization_id, state)
    raise _missing(asked)


async def set_probe(asked: Asked[OrganizationQuery, ProbeBody]) -> Accepted:
    """
    Watch a decision from now on.
    """
    return await _send(asked, [asked.body.to_probe()], [])


async def remove_probe(asked: Asked[ProbeQuery, None]) -> Accepted:
    """
    Watch a decision no more.
    """
    known = {state.probe.name for state in await asked.reader.probes(asked.organization_id)}
    if asked.parameters.name not in known:
        raise _missing(asked)
    return await _send(asked, [], [asked.parameters.name])


async def _send(asked: Asked[OrganizationQuery, object], wanted: Sequence[Probe], gone: Sequence[str]) -> Accepted:
    events = probe_events(asked.organization_id, wanted, gone, source=SOURCE, moment=datetime.now(UTC))
    told = [{**event, "actor": asked.caller.name} for event in events]
    await asked.backing.changes.send(asked.organization_id, [orjson.dumps(event) for event in told])
    return Accepted(event_ids=[str(event["id"]) for event in events])


def _missing(asked: Asked[ProbeQuery, None]) -> HTTPException:
    return HTTPException(404, f"no probe `{asked.parameters.name}` in `{asked.organization_id}`")


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/probes",
        "listProbes",
        "List the probes by name",
        list_probes,
        answer=Page[ProbeAnswer],
        parameters=OrganizationQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/probes/{name}",
        "showProbe",
        "Return a probe",
        show_probe,
        answer=ProbeAnswer,
        parameters=ProbeQuery,
        revalidates=True,
    ),
    Endpoint(
        "POST",
        "/probes",
        "setProbe",
        "Watch a decision from now on; a probe of this name is replaced",
        set_probe,
        answer=Accepted,
        parameters=OrganizationQuery,
        body=ProbeBody,
        role=Role.ADMIN,
        status=202,
    ),
    Endpoint(
        "DELETE",
        "/probes/{name}",
        "removeProbe",
        "Watch a decision no more",
        remove_probe,
        answer=Accepted,
        parameters=ProbeQuery,
        role=Role.ADMIN,
        status=202,
    ),
)
