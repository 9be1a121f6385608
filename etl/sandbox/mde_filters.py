"""MDE filters: the `$filter` of alerts and machines, for the documented properties and no others.

How filters are put together is told in `odata`, which Graph's are read by as well.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from etl.sandbox import literals
from etl.sandbox.odata import ORDERS, Test, instant_of, refused

_ORDERED = ("time", "number", "text")


@dataclass(frozen=True, slots=True)
class Fields:
    """The properties of a kind of record that filters may name, and of what type each is."""

    kinds: dict[str, str]

    def compare(self, name: str, word: str, literal: str) -> Test:
        """Make a test of a property, an operator and a literal.

        Raises GraphError 400 where the service would.
        """
        kind = self.kinds.get(name)
        if kind is None:
            raise refused(f"Could not find a filterable property named '{name}'.")
        if word not in ORDERS or (kind not in _ORDERED and word not in ("eq", "ne")):
            raise refused(f"Operator '{word}' cannot be used with '{name}'.")
        read = instant_of if kind == "time" else _itself
        wanted = None if literal == "null" else _wanted(name, kind, literal)
        return _test(name, word, read, wanted)


def _test(name: str, word: str, read: Callable[[object], Any], wanted: object) -> Test:
    def test(record: dict[str, object]) -> bool:
        found = read(record.get(name))
        if found is None or wanted is None:
            known = {"eq": operator.is_, "ne": operator.is_not}.get(word)
            return known is not None and known(found, wanted)
        return ORDERS[word](found, wanted)

    return test


def _itself(value: object) -> object:
    return value


def _wanted(name: str, kind: str, literal: str) -> object:
    quoted = literal.startswith("'")
    try:
        if kind == "time" and not quoted:
            return literals.instant(literal)
        if kind == "number" and not quoted:
            return int(literal)
    except ValueError:
        raise refused(f"'{literal}' is no {kind} to compare '{name}' with.") from None
    if kind in ("time", "number") or not quoted:
        raise refused(f"'{name}' cannot be compared with {literal}.")
    return literal[1:-1].replace("''", "'")


ALERTS = Fields(
    {
        "alertCreationTime": "time",
        "lastUpdateTime": "time",
        "lastEventTime": "time",
        "incidentId": "number",
        "investigationId": "number",
        "id": "text",
        "assignedTo": "text",
        "detectionSource": "text",
        "category": "text",
        "status": "member",
        "severity": "member",
    }
)
MACHINES = Fields(
    {
        "lastSeen": "time",
        "rbacGroupId": "number",
        "id": "text",
        "computerDnsName": "text",
        "version": "text",
        "aadDeviceId": "text",
        "lastIpAddress": "text",
        "osPlatform": "text",
        "deviceValue": "member",
        "exposureLevel": "member",
        "onboardingStatus": "member",
        "healthStatus": "member",
        "riskScore": "member",
    }
)
