"""Evidence items as the generator numbers them, and as the lake names them."""

import json
from pathlib import Path

import polars as pl
from runs import table

from etl.sandbox import Tenant
from etl.values import canonical


def items(tenant: Tenant, lake: Path) -> pl.DataFrame:
    """Return which EvidenceId each item of each alert has: AlertId, EvidenceIndex, EvidenceId."""
    told = pl.DataFrame(
        [
            (str(alert["id"]), index, canonical(item))
            for alert in tenant.alerts
            for index, item in enumerate(alert["evidence"])
        ],
        schema=["AlertId", "EvidenceIndex", "Item"],
        orient="row",
    )
    evidence = table(lake, "core", "AlertEvidence").select(
        "AlertId",
        "EvidenceId",
        Item=pl.col("Raw").map_elements(lambda raw: canonical(json.loads(raw)), pl.String),
    )
    return told.join(evidence, on=["AlertId", "Item"]).drop("Item")
