"""The stage that pulls what hunting says of the alerts themselves: AlertInfo and AlertEvidence.

A second account of the same alerts, to hold the first one against. It is a help, not a condition:
where hunting refuses, the alerts go on without it.
"""

import logging
from dataclasses import replace
from datetime import date
from typing import Final

from etl.contracts.core import ALERTS
from etl.contracts.hunting import ALERT_TABLES
from etl.lake.lake import Lake
from etl.lake.spool import Spool
from etl.sources import alert_tables
from etl.sources.hunting import Hunting
from etl.stages.landing import Landing
from etl.stages.options import Options
from etl.stages.remembered import Remembered
from etl.stages.report import Report
from etl.windows import Window

log = logging.getLogger(__name__)

LEDGER_PART: Final = "alert_tables"
"""The part of the ledger that is about these tables."""


def pull(hunting: Hunting, lake: Lake, day: date, options: Options) -> dict[str, Report]:
    """Add to raw AlertInfo and AlertEvidence of `day`, and replace their ledger.

    Asked for are the rows dated on the day, and those of the alerts created on it whatever their
    date. Returns a report per table, where what could not be had is a doubt; the ledger has it as
    it is. Raises Throttled and LakeError.
    """
    ids = lake.read(ALERTS, day)["AlertId"].to_list()
    asked, window = Remembered(hunting, Spool.open(lake, day)), Window.of_day(day)
    with lake.staging() as folder:
        landing = Landing(lake, day, folder)
        for table in ALERT_TABLES:
            for pulled in alert_tables.pull(asked, table, window, ids, options.max_rows):
                landing.add(pulled)
                log.info("%s: %d rows of %s pulled", day, pulled.rows, table)
        reports = {table: landing.publish(table)[0] for table in ALERT_TABLES}
    landing.record(LEDGER_PART, options.portal)
    return {
        table: replace(report, incomplete=(), doubts=report.incomplete)
        for table, report in reports.items()
    }
