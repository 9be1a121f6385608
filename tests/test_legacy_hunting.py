import io
import json
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from etl.access.client import Answer, Reader
from etl.errors import Forbidden, RequestRefused, ResultTooLarge, ServiceFailed, TableUnknown
from etl.sources import kql
from etl.sources.hunting import Hunting

QUERY = kql.bind("newest", table=kql.tables(["DeviceProcessEvents"]))
GRAPH, LEGACY = "v1.0/security/runHuntingQuery", "api/advancedqueries/run"


@dataclass(slots=True)
class Api:
    """A stand-in for a client: the error that it raises, or one row that says which way it came."""

    path: str
    error: Exception | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False

    def post(self, url: str, what: str, body: dict[str, Any], read: Reader) -> Answer:
        """Answer in the spelling of the API."""
        assert url == self.path
        assert what
        self.asked.append(body)
        if self.error:
            raise self.error
        rows = [{"Way": self.path}]
        spelled = {"schema": [], "results": rows}
        if self.path == LEGACY:
            spelled = {"Stats": {}, "Schema": [], "Results": rows}
        response = requests.Response()
        response.raw = io.BytesIO(json.dumps(spelled).encode())
        return Answer(read(response, what), "request", 100, 1, 0)

    def close(self) -> None:
        """Note that nothing more will be asked."""
        self.closed = True


def refused() -> Forbidden:
    """Return Graph's refusal."""
    return Forbidden("hunt", "ThreatHunting.Read.All")


def way(hunting: Hunting) -> str:
    """Run a query and return the way that it took."""
    (row,) = hunting.run(QUERY, "hunt").records
    return str(row["Way"])


def test_graph_is_the_way() -> None:
    """Where Graph answers, the older API is never asked, and nothing ends."""
    graph, legacy = Api(GRAPH), Api(LEGACY)
    hunting = Hunting(graph, legacy)
    assert way(hunting) == GRAPH
    assert legacy.asked == []
    assert hunting.ending is None


def test_the_older_api_answers_where_graph_may_not_be_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After one refusal the same query goes the older way, and all later ones with it."""
    graph, legacy = Api(GRAPH, refused()), Api(LEGACY)
    hunting = Hunting(graph, legacy)
    with caplog.at_level(logging.WARNING):
        assert [way(hunting) for _ in range(3)] == [LEGACY] * 3
    assert graph.asked == [{"Query": QUERY.kql}]
    assert legacy.asked == [{"Query": QUERY.kql}] * 3
    (warning,) = caplog.messages
    assert "2027-02-01" in warning


def test_the_ending_says_when_and_what_replaces_it() -> None:
    """The older way comes with its end and the permission to grant instead."""
    hunting = Hunting(Api(GRAPH, refused()), Api(LEGACY))
    way(hunting)
    ending = hunting.ending or ""
    assert "2027-02-01" in ending
    assert "ThreatHunting.Read.All on Microsoft Graph" in ending


def test_the_refused_call_is_counted() -> None:
    """The call that Graph refused belongs to the query that it was made for."""
    hunting = Hunting(Api(GRAPH, refused()), Api(LEGACY))
    assert [hunting.run(QUERY, "hunt").calls for _ in range(2)] == [2, 1]


def test_without_the_older_permission_the_refusal_stands() -> None:
    """With Graph alone, a missing permission is an error that names Graph's permission."""
    hunting = Hunting(Api(GRAPH, refused()))
    with pytest.raises(Forbidden, match=r"ThreatHunting\.Read\.All"):
        hunting.run(QUERY, "hunt")
    assert hunting.ending is None


@pytest.mark.parametrize(
    "closed",
    [
        Forbidden("hunt", "AdvancedQuery.Read.All"),
        RequestRefused("hunt", 404, "NotFound", "no such route"),
        RequestRefused("hunt", 410, "Gone", "retired"),
    ],
    ids=["forbidden", "not there", "gone"],
)
def test_where_both_are_closed_graph_is_what_to_open(closed: Exception) -> None:
    """An older API that is closed or gone is not advertised; Graph is asked first again."""
    graph = Api(GRAPH, refused())
    hunting = Hunting(graph, Api(LEGACY, closed))
    for _ in range(2):
        with pytest.raises(Forbidden, match=r"ThreatHunting\.Read\.All"):
            hunting.run(QUERY, "hunt")
    assert len(graph.asked) == 2
    assert hunting.ending is None


@pytest.mark.parametrize("kind", [TableUnknown, ResultTooLarge, RequestRefused])
def test_what_the_older_api_says_of_a_query_is_told(kind: type[RequestRefused]) -> None:
    """An error of the query itself leads no way back to Graph."""
    graph = Api(GRAPH, refused())
    hunting = Hunting(graph, Api(LEGACY, kind("hunt", 400, "BadRequest", "no")))
    for _ in range(2):
        with pytest.raises(kind):
            hunting.run(QUERY, "hunt")
    assert len(graph.asked) == 1
    assert hunting.ending


@pytest.mark.parametrize(
    "error", [TableUnknown("hunt", 400, "BadRequest", "no"), ServiceFailed("hunt", "HTTP 503")]
)
def test_only_a_refusal_leads_away_from_graph(error: Exception) -> None:
    """A failing or refused query on Graph is no reason to use an API that ends."""
    legacy = Api(LEGACY)
    with pytest.raises(type(error)):
        Hunting(Api(GRAPH, error), legacy).run(QUERY, "hunt")
    assert legacy.asked == []


def test_closing_closes_either_way() -> None:
    """Both clients' connections are closed."""
    graph, legacy = Api(GRAPH), Api(LEGACY)
    Hunting(graph, legacy).close()
    Hunting(graph).close()
    assert graph.closed
    assert legacy.closed
