"""The clouds that Defender runs in, and where each has its sign-in, APIs and portal.

Hosts: learn.microsoft.com/graph/deployments and learn.microsoft.com/defender-endpoint/gov. Settings
may send a client elsewhere; the names that tokens are asked for remain those of the cloud.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cloud:
    """The hosts of one cloud."""

    authority: str
    graph: str
    """Graph's host, which is also what its tokens are for."""

    mde: str
    """The host of Defender for Endpoint's own API."""

    mde_resource: str
    """What tokens for Defender for Endpoint are for, whichever of its hosts is called."""

    portal: str
    """The host of the Defender portal, without a scheme."""


_GOVERNMENT: Final = "https://api-gov.securitycenter.microsoft.us"
_COMMUNITY: Final = "https://api-gcc.securitycenter.microsoft.us"

CLOUDS: Final = {
    "global": Cloud(
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://api.security.microsoft.com",
        "https://api.securitycenter.microsoft.com",
        "security.microsoft.com",
    ),
    "gcc": Cloud(
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        _COMMUNITY,
        _COMMUNITY,
        "security.microsoft.com",
    ),
    "gcc-high": Cloud(
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        _GOVERNMENT,
        _GOVERNMENT,
        "security.microsoft.us",
    ),
    "dod": Cloud(
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        _GOVERNMENT,
        _GOVERNMENT,
        "security.apps.mil",
    ),
}
"""Every cloud by the name that the settings use."""
