"""Advanced hunting of Microsoft Graph (`POST /v1.0/security/runHuntingQuery`): one query, its rows.

The service cuts a result at its row limit without saying so; noticing that is the business of
`etl.sources.slices`. https://learn.microsoft.com/graph/api/security-security-runhuntingquery
"""

from dataclasses import dataclass
from typing import Any

from etl.access.client import Client
from etl.errors import ServiceFailed
from etl.sources.kql import Literal

PATH = "v1.0/security/runHuntingQuery"
PERMISSION = "ThreatHunting.Read.All"


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of one query as the service sent them."""

    records: list[dict[str, Any]]
    request_id: str
    size: int
    calls: int
    throttled: int


def run(client: Client, query: Literal, what: str) -> Result:
    """Run `query`; `what` names it in errors.

    Raises an AccessError; ResultTooLarge and TableUnknown among them.
    """
    answer = client.post(PATH, what, {"Query": query.kql})
    body = {key.lower(): value for key, value in answer.body.items()}
    records = body.get("results")
    if not isinstance(records, list) or not all(isinstance(row, dict) for row in records):
        raise ServiceFailed(what, "the answer has no list of rows")
    return Result(records, answer.request_id, answer.size, answer.calls, answer.throttled)
