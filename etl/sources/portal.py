"""Links into the Defender portal: an address that opens hunting with a query in its editor.

The portal reads the query from the address as base64url of gzip of UTF-16LE. Running queries
belongs to `etl.sources.hunting`.
"""

import base64
import gzip


def link(portal: str, query: str) -> str:
    """Return the address at the host `portal` that shows `query`; equal for equal queries."""
    packed = gzip.compress(query.encode("utf-16-le", "surrogatepass"), mtime=0)
    encoded = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"https://{portal}/v2/advanced-hunting?query={encoded}&timeRangeId=month"
