"""Leads: alerts whose evidence only a hunt can tie to telemetry, if anything can.

What they name was seen on a device that they do not name, hours away, or nowhere; it is known by
its path or name alone; or it is a process far older than its alert, with relatives as far away.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from etl.sandbox import moments
from etl.sandbox.cases import Suspect
from etl.sandbox.plays import Clue
from etl.sandbox.scenes import Scene
from etl.sandbox.software import Image

USER_HIVE: Final = "HKEY_CURRENT_USER"
_KEY = "SOFTWARE\\Contoso\\Sync"
_SID = "S-1-5-21-1004336348-1177238915-682003330-1108"
_SERVICE = "C:\\Program Files\\Fabrikam\\"


@dataclass(frozen=True, slots=True)
class Lead:
    """A kind of alert: what happens, and what of the device it names."""

    title: str
    play: Callable[[Scene], tuple[list[Suspect], list[Clue]]] = field(repr=False)
    prefix: str = "da"
    device: str = "its own"
    """`its own`, `none`, or `a stranger` that hunting knows nothing of."""


@dataclass(frozen=True, slots=True)
class _Things:
    """A file, an address, a URL, a registry value and an account that nothing else is about."""

    path: str
    address: str
    host: str
    key: str
    value: str
    account: str

    @classmethod
    def draw(cls, scene: Scene) -> "_Things":
        """Draw things that no telemetry is about yet."""
        word = f"{scene.random.getrandbits(40):010x}"
        address = f"192.0.2.{scene.random.randrange(1, 255)}"
        return cls(
            f"C:\\ProgramData\\sync\\{word}.exe", address, f"{word}.files.example",
            f"{_KEY}\\{word}", f"Start{word}", f"svc.{word}",
        )  # fmt: skip

    def appear(self, scene: Scene) -> None:
        """Let the user's shell touch each of them, a moment after the other."""
        by = scene.root("explorer.exe")
        file = Image(self.path)
        scene.do("DeviceFileEvents", "FileCreated", by, FileName=file.name, FolderPath=file.path,
                 SHA1=file.digest("sha1"), SHA256=file.digest("sha256"), FileSize=file.size,
                 RequestProtocol="Local")  # fmt: skip
        scene.do("DeviceNetworkEvents", "ConnectionSuccess", by, RemoteIP=self.address,
                 RemotePort=443, Protocol="Tcp", RemoteIPType="Public")  # fmt: skip
        scene.do("DeviceNetworkEvents", "ConnectionSuccess", by, RemoteIP="203.0.113.77",
                 RemoteUrl=self.host, RemotePort=443, Protocol="Tcp",
                 RemoteIPType="Public")  # fmt: skip
        for key, name in ((self.key, "Mode"), (_KEY, self.value)):
            scene.do("DeviceRegistryEvents", "RegistryValueSet", by, RegistryValueType="String",
                     RegistryKey=f"{USER_HIVE}\\{_SID}\\{key}", RegistryValueName=name,
                     RegistryValueData=self.path)  # fmt: skip
        scene.do("DeviceLogonEvents", "LogonSuccess", scene.root("lsass.exe"), LogonType="Network",
                 AccountDomain="fabrikam", AccountName=self.account, LogonId=88_001,
                 IsLocalAdmin=False)  # fmt: skip

    def cloud_clues(self) -> list[Clue]:
        """Name what needs no device."""
        return [
            Clue("ip", {"address": self.address}),
            Clue("url", {"url": f"https://{self.host}/share?id=7"}),
            Clue("account", {"name": self.account}),
        ]

    def clues(self) -> list[Clue]:
        """Name all of them, the file by its path alone."""
        return [
            Clue("path", {"path": self.path}),
            *self.cloud_clues(),
            Clue("registry_key", {"key": self.key.upper()}),
            Clue("registry_value", {"key": _KEY, "name": self.value, "value": self.path}),
        ]


Told = tuple[list[Suspect], list[Clue]]


def _elsewhere(scene: Scene) -> Told:
    """Have a device see what a cloud service names."""
    things = _Things.draw(scene)
    things.appear(scene)
    return [], things.cloud_clues()


def _nowhere(scene: Scene) -> Told:
    """Have a cloud service name what nobody has seen."""
    return [], _Things.draw(scene).cloud_clues()


def _by_name(scene: Scene) -> Told:
    """Have things that are known by their names alone seen at the time of the alert."""
    things = _Things.draw(scene)
    things.appear(scene)
    return [], things.clues()


def _traceless(scene: Scene) -> Told:
    """Name things that have left no trace on the device."""
    return [], _Things.draw(scene).clues()


def _hours_away(scene: Scene) -> Told:
    """Have things seen, some hours before and some hours after the alert's activity."""
    before, after = _Things.draw(scene), _Things.draw(scene)
    now = scene.now
    scene.now = now - scene.random.randrange(3 * moments.HOUR, 12 * moments.HOUR)
    before.appear(scene)
    scene.now = now + scene.random.randrange(2 * moments.HOUR, 9 * moments.HOUR)
    after.appear(scene)
    scene.now = now
    return [], [*before.clues(), *after.clues()]


def _silent(_: Scene) -> Told:
    """Do nothing."""
    return [], []


def _start(scene: Scene, parent: int | None, name: str, when: int) -> int:
    """Start a service at an instant; the clock stays where it is."""
    before, scene.now = scene.now, when - when % moments.MICROSECOND
    image = Image(f"{_SERVICE}{name}", "Fabrikam", "Fabrikam Agent")
    service = scene.start(parent, image, f'"{image.path}" --service', pid=scene.pid())
    scene.now = before
    return service


def _long_running(scene: Scene) -> Told:
    """Name a service started days ago, which does nothing but start a child hours later."""
    root = _start(scene, None, "bootsvc.exe", scene.now - 9 * moments.DAY)
    service = _start(scene, root, "broker.exe", scene.now - 6 * moments.DAY - 77 * moments.SECOND)
    _start(scene, service, "collector.exe", scene.now + 9 * moments.HOUR)
    return [Suspect(service, "long_running")], []


def _far_relatives(scene: Scene) -> Told:
    """Have a process act whose parents are days older, and whose children come hours later."""
    eldest = _start(scene, None, "hostsvc.exe", scene.now - 5 * moments.DAY)
    parent = _start(scene, eldest, "runner.exe", scene.now - 3 * moments.DAY)
    worker = _start(scene, parent, "worker.exe", scene.now)
    for number in range(3):
        scene.do("DeviceFileEvents", "FileModified", worker, FileName=f"{number}.job",
                 FolderPath=f"{_SERVICE}{number}.job")  # fmt: skip
    now = scene.now
    child = _start(scene, worker, "helper.exe", now + 7 * moments.HOUR)
    scene.now = now + 7 * moments.HOUR + moments.MINUTE
    scene.do("DeviceNetworkEvents", "ConnectionSuccess", child, RemoteIP="203.0.113.78",
             RemotePort=443, Protocol="Tcp")  # fmt: skip
    _start(scene, child, "uploader.exe", scene.now + moments.HOUR)
    scene.now = now
    return [Suspect(worker, "far_relatives")], []


LEADS: Final = {
    "seen_elsewhere": Lead("Sign-in from a new address", _elsewhere, "ca", "none"),
    "seen_nowhere": Lead("Sign-in from an unusual country", _nowhere, "sn", "none"),
    "by_name": Lead("Suspicious synchronisation tool", _by_name),
    "traceless": Lead("Traces of a removed tool", _traceless),
    "hours_away": Lead("Tool of an earlier intrusion", _hours_away),
    "silent_device": Lead("Custom detection: device gone quiet", _silent, "ed", "a stranger"),
    "long_running": Lead("Tampering with a service", _long_running),
    "far_relatives": Lead("Suspicious service activity", _far_relatives),
}
"""Every kind by the name of its case; all play on Windows."""
