"""A fake Microsoft Defender tenant on loopback: sign-in, alerts and hunting over HTTPS.

For the demo and the tests. Everything in it is made up from a seed; it shares no code with the
pipeline that reads it, so that each can be checked against the other.
"""

from etl.sandbox.faults import Faults
from etl.sandbox.journal import Request
from etl.sandbox.server import Sandbox
from etl.sandbox.tenant import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Tenant

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "TENANT_ID",
    "Faults",
    "Request",
    "Sandbox",
    "Tenant",
]
