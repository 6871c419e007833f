from __future__ import annotations

import pytest

from rooftree.api.traces import route_of


@pytest.mark.parametrize(
    ("path", "parameters", "route"),
    [
        ("/api/v1/dead-letters/1", {"letter": 1}, "/api/v1/dead-letters/{letter}"),
        (
            "/o-exampleorg/nodes/o",
            {"organization_id": "o-exampleorg", "node_id": "o"},
            "/{organization_id}/nodes/{node_id}",
        ),
        ("/what/is/nowhere", {"path": "what/is/nowhere"}, "/{path}"),
        ("/healthz", {}, "/healthz"),
    ],
)
def test_a_route_names_parameters_by_whole_parts_of_the_path(
    path: str, parameters: dict[str, object], route: str
) -> None:
    """
    What is given for a parameter may also stand within another part: `1` in `v1`.
    """
    assert route == route_of({"path": path, "path_params": parameters, "endpoint": object()})


def test_what_nothing_answers_has_no_route() -> None:
    """
    Its path would be a name of a span of its own for each that a stranger thinks of.
    """
    assert route_of({"path": "/any"}) is None
