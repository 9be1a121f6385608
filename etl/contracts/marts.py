"""The marts of the lake in order."""

from typing import Final

from etl.contracts.insight import INSIGHT
from etl.contracts.mart import ALERT_CORRELATION, ALERT_HUNTS, ALERT_VALIDATION, CORRELATED_ALERTS
from etl.contracts.story import ALERT_TIMELINE, PROCESS_TREE

CORRELATED: Final = (
    CORRELATED_ALERTS,
    ALERT_CORRELATION,
    ALERT_VALIDATION,
    PROCESS_TREE,
    ALERT_TIMELINE,
)
"""The marts that the correlation makes."""

MART: Final = (*CORRELATED, ALERT_HUNTS, *INSIGHT)
"""Every mart, the most wanted first; hunts are told by who hunts."""
