"""The hunts of a run: what was asked on behalf of which alert, and where to ask it again."""

import base64
import gzip
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
import requests
from runs import table

from etl.access.credentials import credentials
from etl.sandbox import Sandbox
from etl.settings import Settings
from etl.sources.outcomes import hash_of


@pytest.fixture(scope="module")
def hunts(lake: Path) -> pl.DataFrame:
    """Return the hunts of the served tenant's days."""
    return table(lake, "mart", "AlertHunts")


def shown(url: str) -> str:
    """Return the query that a portal link shows, read as the portal does."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == (
        "https", "security.microsoft.com", "/v2/advanced-hunting",
    )  # fmt: skip
    (encoded,) = parse_qs(parts.query)["query"]
    packed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    return gzip.decompress(packed).decode("utf-16-le")


def test_a_link_opens_the_query(hunts: pl.DataFrame) -> None:
    """Every hunt's link shows its own query, under whose hash it is filed."""
    assert hunts.height > 20
    for query, url, name in hunts.select("Query", "PortalUrl", "HuntId").iter_rows():
        assert shown(url) == query
        assert hash_of(query) == name


def test_what_ran_is_kept_to_the_letter(served: Sandbox, hunts: pl.DataFrame, lake: Path) -> None:
    """Every query in the ledger is one that the service was asked, and so is its link's."""
    ran = {request.body_query for request in served.hunting}
    queries = table(lake, "ops", "HuntingQueries")
    ledger = table(lake, "ops", "ExtractionLedger").filter(Source="hunting")

    assert set(queries["Query"]) <= ran
    assert [shown(url) for url in queries["PortalUrl"]] == queries["Query"].to_list()
    assert set(ledger["QueryHash"].drop_nulls()) <= set(queries["QueryHash"])
    assert set(hunts["RanAs"]) <= set(queries["QueryHash"])


def test_a_hunt_brings_the_rows_that_it_says(
    served: Sandbox, hunts: pl.DataFrame, lake: Path
) -> None:
    """A hunt's own query, run alone, returns as many rows as the hunt is said to have brought."""
    settings = Settings.read({**served.environment, "DEFENDER_LAKE": str(lake)})
    token = credentials(settings, settings.graph_resource, settings.graph_url).token()
    few = hunts.sort("Rows", descending=True).group_by("Kind", maintain_order=True).head(3)
    for query, rows in few.select("Query", "Rows").iter_rows():
        answer = requests.post(
            f"{served.url}/v1.0/security/runHuntingQuery",
            json={"Query": query},
            headers={"Authorization": f"Bearer {token}"},
            verify=str(settings.ca_bundle),
            timeout=60,
        )
        assert len(json.loads(answer.content)["results"]) == rows, query
    assert few["Rows"].max() > 0


def test_only_what_has_no_match_was_hunted(hunts: pl.DataFrame, lake: Path) -> None:
    """Evidence that the windows around the activity showed is not hunted for."""
    found = table(lake, "mart", "CorrelatedAlerts")
    hunted = hunts.filter(pl.col("EvidenceId").is_not_null(), Reach="wide")
    near = found.filter(MatchTier="exact").join(hunted, on=["AlertId", "EvidenceId"])

    assert hunted.height > 0
    assert near.is_empty()


def test_ancestors_and_descendants_are_hunted(hunts: pl.DataFrame) -> None:
    """Creation rows of ancestors that no window holds are found, and descendants asked for."""
    ancestors = hunts.filter(Kind="ancestors")

    assert ancestors["Rows"].sum() > 0
    assert set(ancestors["Status"]) == {"complete"}
    assert hunts.filter(Kind="descendants").height > 0
