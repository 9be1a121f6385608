"""Casework: turns each attack into its alert, and into the truth about the processes it names."""

import copy
from dataclasses import dataclass, field, replace
from random import Random

import polars as pl

from etl.sandbox import alerts, evidence, exotica, moments
from etl.sandbox.alert_tables import Key
from etl.sandbox.alerts import Alert, Incident
from etl.sandbox.attacks import Attack
from etl.sandbox.cases import NEW_ID, OLD_ID, Suspect
from etl.sandbox.evidence import Item, Sighting
from etl.sandbox.software import Image
from etl.sandbox.telemetry import World

_HIDDEN = "hidden_key"
_PREFIX = {"device_only": "ed", "cloud": "ca"}
_UNUSABLE = ("sentinel_time", "pid_zero", "null_time", "null_pid", _HIDDEN)
_HALVES = ("processCreationDateTime", "processId")


@dataclass(frozen=True, slots=True)
class Named:
    """An item of evidence that names a process, and which process that truly is."""

    alert: str
    index: int
    suspect: Suspect
    device: str
    """The id that the process's telemetry is under."""

    shown: str | None
    """The id in the evidence, lower-cased."""

    pid: int | None
    created: int | None
    evidence_ticks: int | None

    @property
    def usable(self) -> bool:
        """Return whether pid and time in the evidence can be a key at all."""
        return self.suspect.case not in _UNUSABLE

    @property
    def hidden(self) -> bool:
        """Return whether hunting's row of the item has the whole key that the item has not."""
        return self.suspect.case == _HIDDEN


@dataclass(slots=True)
class Casebook:
    """Alerts so far, and whom they named."""

    random: Random
    tenant: str
    world: World
    alerts: list[Alert] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)

    def open(self, attack: Attack) -> Alert:
        """Write the alert about an attack, and note the truth about it."""
        created = moments.text(attack.last + moments.MINUTE)
        items, suspects = self._items(attack, created)
        prefix = self.random.choice(("ca", "sn")) if attack.case == "cloud" else attack.prefix
        incident = Incident(attack.first, attack.last, prefix or _PREFIX.get(attack.case, "da"))
        alert = alerts.body(
            self.random, self.tenant, story=attack.story, incident=incident, evidence=items
        )
        self.alerts.append(alert)
        for index, suspect in suspects.items():
            self.named.append(self._named(str(alert["id"]), index, suspect, items[index]))
        return alert

    def _items(self, attack: Attack, created: str) -> tuple[list[Item], dict[int, Suspect]]:
        """Return all items of evidence, and the suspects by position among them."""
        if attack.case == "cloud":
            someone = self.random.choice(self.world.devices).user
            return evidence.cloud(created, someone) + exotica.handful(self.random, created), {}
        items = [evidence.device(device, created) for device in attack.devices]
        if attack.devices and self.random.random() < 0.7:  # noqa: PLR2004
            items.append(evidence.user(attack.devices[0].user, created))
        suspects: dict[int, Suspect] = {}
        for suspect in attack.suspects:
            suspects[len(items)] = suspect
            shown = evidence.process(self._sighting(attack, suspect), suspect, created)
            items.append(shown | self._lacking(suspect))
        machine = attack.devices[0] if attack.devices else None
        items += [evidence.clue(clue, machine, created) for clue in attack.clues]
        return items, suspects

    def _lacking(self, suspect: Suspect) -> Item:
        """Return the half that an item with a hidden key lacks: pid and time in turn."""
        if suspect.case != _HIDDEN:
            return {}
        return {_HALVES[sum(one.hidden for one in self.named) % 2]: None}

    def _sighting(self, attack: Attack, suspect: Suspect) -> Sighting:
        if suspect.process is not None:
            known = self._known(suspect.process, parents=1)
            renamed = suspect.case in (OLD_ID, NEW_ID)
            return replace(known, device=attack.devices[0]) if renamed else known
        image = Image("System Idle Process")
        device = attack.devices[0]
        return Sighting(
            device, 0, attack.first, image.name, "", image.digest("sha1"), image.digest("sha256"),
            "", as_user=False,
        )  # fmt: skip

    def _known(self, process: int, *, parents: int) -> Sighting:
        row = self.world.processes.row(process, named=True)
        image = Image(row["path"])
        parent = row["parent"] if parents else None
        return Sighting(
            self.world.devices[row["device"]], row["pid"], row["created"], image.name,
            image.folder, row["sha1"], row["sha256"], row["command"], row["as_user"],
            None if parent is None else self._known(parent, parents=parents - 1),
        )  # fmt: skip

    def _named(self, alert: str, index: int, suspect: Suspect, item: Item) -> Named:
        names = str(item["mdeDeviceId"]).lower() if item["mdeDeviceId"] else None
        if suspect.process is None:
            return Named(alert, index, suspect, str(names), names, 0, None, None)
        known = self._known(suspect.process, parents=0)
        shown: int | None = known.shown
        if suspect.case == "sentinel_time":
            year = str(item["processCreationDateTime"])
            shown = 0 if year.startswith("0001") else 584_388 * moments.DAY
        elif item["processCreationDateTime"] is None:
            shown = None
        device = self.world.device_at(known.device, known.created).id
        return Named(
            alert, index, suspect, device, names, known.pid, known.created, shown
        )  # fmt: skip

    def hidden(self) -> dict[tuple[str, int], Key]:
        """Return the keys that only hunting tells, by alert and position among its items."""
        found = [one for one in self.named if one.hidden and one.pid is not None]
        return {
            (one.alert, one.index): Key(one.pid or 0, one.created or 0, form)
            for form, one in enumerate(found)
        }

    def spoil(self, alert: Alert) -> None:
        """Add a copy of an alert whose id got lost: a malformed record."""
        self.alerts.append(copy.deepcopy(alert) | {"id": "", "providerAlertId": ""})


def named_frame(named: list[Named]) -> pl.DataFrame:
    """Return the named processes by column; `_process` is the row number of the process."""
    return pl.DataFrame(
        {
            "AlertId": [one.alert for one in named],
            "EvidenceIndex": [one.index for one in named],
            "Case": [one.suspect.case for one in named],
            "DeviceId": [one.device for one in named],
            "NamedDeviceId": [one.shown for one in named],
            "ProcessId": [one.pid for one in named],
            "ProcessCreationTicks": [one.created for one in named],
            "EvidenceTicks": [one.evidence_ticks for one in named],
            "UsableKey": [one.usable for one in named],
            "HiddenKey": [one.hidden for one in named],
            "_process": [one.suspect.process for one in named],
        },
        schema_overrides={
            "NamedDeviceId": pl.String,
            "ProcessId": pl.Int64,
            "ProcessCreationTicks": pl.Int64,
            "EvidenceTicks": pl.Int64,
            "_process": pl.Int64,
        },
    )
