import base64
import gzip
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.clouds import CLOUDS
from etl.sources import portal

TEXTS = st.text(st.characters(categories=None, exclude_categories=()))


def decode(url: str) -> str:
    """Return the query that the portal reads from a link."""
    (encoded,) = parse_qs(urlsplit(url).query)["query"]
    packed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    return gzip.decompress(packed).decode("utf-16-le", "surrogatepass")


@given(TEXTS)
def test_a_link_decodes_to_the_query(query: str) -> None:
    """The address holds base64url of gzip of UTF-16LE, without padding or a byte order mark."""
    url = portal.link("security.microsoft.com", query)
    same = query.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    assert decode(url) == same
    assert re.fullmatch(
        r"https://security\.microsoft\.com/v2/advanced-hunting"
        r"\?query=[A-Za-z0-9_-]+&timeRangeId=month",
        url,
    )


def test_equal_queries_have_equal_links() -> None:
    """No time of making gets into a link."""
    link = portal.link("security.microsoft.com", "DeviceEvents | take 1")
    (encoded,) = parse_qs(urlsplit(link).query)["query"]
    header = base64.urlsafe_b64decode(encoded[:16])

    assert link == portal.link("security.microsoft.com", "DeviceEvents | take 1")
    assert header[4:8] == bytes(4)


@pytest.mark.parametrize(
    ("cloud", "host"),
    [
        ("global", "security.microsoft.com"),
        ("gcc", "security.microsoft.com"),
        ("gcc-high", "security.microsoft.us"),
        ("dod", "security.apps.mil"),
    ],
)
def test_every_cloud_has_its_portal(cloud: str, host: str) -> None:
    """Links lead to the portal of the tenant's cloud."""
    assert CLOUDS.keys() == {"global", "gcc", "gcc-high", "dod"}
    assert CLOUDS[cloud].portal == host
