"""Turns: what can happen to an alert from one state to the next.

When it happens, and when the API shows it, is decided by `chronicle`.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from etl.sandbox import moments
from etl.sandbox.alerts import Alert
from etl.sandbox.specimens import PORTAL, Specimens
from etl.sandbox.tenant import TENANT_ID

Turn = Callable[[Alert, int], Alert]

_SEVERITIES = ("informational", "low", "medium", "high")
_PEOPLE = ("ada.brook@contoso.example", "chen.wei@contoso.example", "hana.sato@contoso.example")
_FEWEST = 2
"""Items of evidence that an alert keeps."""


class Turns:
    """Draws turns, each kind as often as every other, and takes them."""

    def __init__(self, random: Random, specimens: Specimens) -> None:
        self._random = random
        self._specimens = specimens
        self._hand: list[Turn] = []
        self._kinds: tuple[Turn, ...] = (
            self._touch, self._handle, self._rate, self._assign, self._move, self._grow,
            self._shrink,
        )  # fmt: skip

    def draw(self, *, unseen: bool = False) -> Turn:
        """Draw a turn; one that is `unseen` does not rely on the time of the update to show."""
        if unseen:
            return self._random.choice(self._kinds[1:])
        if not self._hand:
            self._hand = self._random.sample(self._kinds, len(self._kinds))
        return self._hand.pop()

    def take(self, turn: Turn, alert: Alert, updated: int) -> Alert:
        """Return the alert after a turn; the one before stays as it is."""
        return alert | turn(alert, updated) | {"lastUpdateDateTime": moments.text(updated)}

    def _touch(self, _: Alert, __: int) -> Alert:
        return {}

    def _handle(self, alert: Alert, updated: int) -> Alert:
        """Take an alert on, resolve it, or open it again."""
        resolved = alert["status"] == "inProgress"
        comment = {
            "@odata.type": "#microsoft.graph.security.alertComment",
            "comment": "Looked at it,\r\nclosed.",
            "createdByDisplayName": self._random.choice(_PEOPLE),
            "createdDateTime": moments.text(updated),
        }
        return {
            "status": "resolved" if resolved else "inProgress",
            "classification": "truePositive" if resolved else None,
            "determination": "malware" if resolved else None,
            "resolvedDateTime": moments.text(updated) if resolved else None,
            "comments": [*_listed(alert, "comments"), comment],
        }

    def _rate(self, alert: Alert, _: int) -> Alert:
        return {"severity": self._another(_SEVERITIES, alert["severity"])}

    def _assign(self, alert: Alert, _: int) -> Alert:
        return {"assignedTo": self._another((None, *_PEOPLE), alert["assignedTo"])}

    def _move(self, alert: Alert, _: int) -> Alert:
        """Move an alert to one of a few other incidents, as merging incidents does."""
        number = self._another([str(number) for number in range(7001, 7006)], alert["incidentId"])
        address = f"{PORTAL}/incidents/{number}?tid={TENANT_ID}"
        return {"incidentId": number, "incidentWebUrl": address}

    def _grow(self, alert: Alert, updated: int) -> Alert:
        makers = self._specimens
        device = makers.device()
        found = [makers.process(device, updated)]
        if self._random.random() < 0.5:  # noqa: PLR2004
            found.append(makers.file(device, updated))
        return {
            "evidence": _listed(alert, "evidence") + found,
            "lastActivityDateTime": moments.text(updated - moments.MINUTE, 3),
        }

    def _shrink(self, alert: Alert, updated: int) -> Alert:
        """Take the last items away; an alert that has hardly any grows instead."""
        items = _listed(alert, "evidence")
        if len(items) <= _FEWEST:
            return self._grow(alert, updated)
        return {"evidence": items[: self._random.randrange(_FEWEST, len(items))]}

    def _another(self, choices: Sequence[str | None], present: object) -> str | None:
        return self._random.choice([one for one in choices if one != present])


def _listed(alert: Alert, name: str) -> list[object]:
    found = alert[name]
    return list(found) if isinstance(found, list) else []


def reordered(random: Random, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the same JSON value with the keys of its objects in another order."""
    if isinstance(value, dict):
        names = random.sample(list(value), len(value))
        return {name: reordered(random, value[name]) for name in names}
    if isinstance(value, list):
        return [reordered(random, item) for item in value]
    return value
