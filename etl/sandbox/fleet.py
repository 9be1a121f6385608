"""Fleet: the tenant's devices and the people who use them.

Identity of machines and accounts belongs here; what runs on them does not.
"""

import hashlib
import uuid
from dataclasses import dataclass
from random import Random

DOMAIN = "contoso.local"
NETBIOS = "contoso"

_PEOPLE = [
    "ada.brook", "benoit.leroy", "chen.wei", "dina.okafor", "emil.hansen", "fatma.kaya",
    "goran.novak", "hana.sato", "igor.petrov", "jana.kovac", "karim.haddad", "lena.fischer",
    "mateo.ruiz", "nadia.rossi", "omar.farah", "petra.lang", "quentin.moreau", "rosa.silva",
    "samir.patel", "tessa.young",
]  # fmt: skip
_SHARE = {"windows": 0.6, "linux": 0.23, "macos": 0.17}
_LEAST = {"windows": 3, "linux": 2, "macos": 2}
_SYSTEMS = {
    "windows": (("Windows11", "24H2", 26100), ("Windows10", "22H2", 19045),
                ("WindowsServer2022", "21H2", 20348)),
    "linux": (("Linux", "24.4", 0), ("Linux", "9.4", 0)),
    "macos": (("macOS", "15.1", 0), ("macOS", "14.6", 0)),
}  # fmt: skip
_PREFIX = {"windows": "wks", "linux": "srv-lx", "macos": "mac"}
_SYSTEM_ACCOUNT = {"windows": "system", "linux": "root", "macos": "root"}


@dataclass(frozen=True, slots=True)
class Account:
    """Someone or something that processes run as."""

    domain: str
    name: str
    sid: str | None
    upn: str | None
    object_id: str | None


@dataclass(frozen=True, slots=True)
class Device:
    """One onboarded machine."""

    index: int
    id: str
    name: str
    platform: str
    system: str
    version: str
    build: int
    address: str
    public_address: str
    group: str
    aad_id: str
    user: Account
    system_account: Account

    @property
    def host(self) -> str:
        """Return the name without its domain."""
        return self.name.partition(".")[0]


def _user(random: Random, host: str, platform: str) -> Account:
    name = random.choice(_PEOPLE)
    if platform == "linux":
        return Account(host, name.partition(".")[0], None, None, None)
    sid = f"S-1-5-21-{random.getrandbits(31)}-{random.getrandbits(31)}-{random.randint(1001, 9999)}"
    object_id = str(uuid.UUID(int=random.getrandbits(128), version=4))
    return Account(NETBIOS, name, sid, f"{name}@contoso.example", object_id)


def _device(random: Random, index: int, platform: str) -> Device:
    host = f"{_PREFIX[platform]}-{index:03d}"
    system, version, build = random.choice(_SYSTEMS[platform])
    sid = "S-1-5-18" if platform == "windows" else None
    authority = "nt authority" if platform == "windows" else host
    return Device(
        index=index,
        id=hashlib.sha1(f"{host}{random.random()}".encode(), usedforsecurity=False).hexdigest(),
        name=host if platform == "macos" else f"{host}.{DOMAIN}",
        platform=platform,
        system=system,
        version=version,
        build=build,
        address=f"10.{20 + index // 250}.{index % 7}.{index % 250 + 4}",
        public_address=f"203.0.113.{index % 250 + 1}",
        group=random.choice(("Offices", "Servers", "UnassignedGroup")),
        aad_id=str(uuid.UUID(int=random.getrandbits(128), version=4)),
        user=_user(random, host, platform),
        system_account=Account(authority, _SYSTEM_ACCOUNT[platform], sid, None, None),
    )


def build(random: Random, scale: float) -> list[Device]:
    """Make about 60 devices times `scale`, at least two of each platform."""
    platforms = [
        platform
        for platform, share in _SHARE.items()
        for _ in range(max(_LEAST[platform], round(60 * share * scale)))
    ]
    return [_device(random, index, platform) for index, platform in enumerate(platforms)]
