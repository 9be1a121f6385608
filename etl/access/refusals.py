"""Refused sign-ins: what Entra ID's code means and what to do about it, in one line each.

Codes: learn.microsoft.com/entra/identity-platform/reference-error-codes. Of what the service says,
only its code and the name of the error are shown: the rest may quote what was sent.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from etl.errors import SignInRefused, printable

_TENANT: Final = "check AZURE_TENANT_ID, DEFENDER_CLOUD and AZURE_AUTHORITY_HOST"
_API: Final = "check DEFENDER_CLOUD, DEFENDER_GRAPH_URL and DEFENDER_MDE_URL"
_POLICY: Final = "ask the tenant's administrator which Conditional Access policy it is"
_TRUST: Final = (
    "compare the app registration's federated credential with AZURE_FEDERATED_TOKEN_FILE"
)
_BY_HAND: Final = "run `defender-etl doctor` in a terminal and sign in there"

_REMEDIES: Final = {
    7000215: (
        "the client secret is wrong",
        "set AZURE_CLIENT_SECRET to the secret's value, not its id",
    ),
    7000222: ("the client secret has expired", "create a new one and set AZURE_CLIENT_SECRET"),
    7000218: (
        "no proof of identity was sent",
        "set AZURE_CLIENT_SECRET, or allow public client flows where a person signs in",
    ),
    700016: ("the application is not in this tenant", "check AZURE_CLIENT_ID and AZURE_TENANT_ID"),
    7000112: ("the application is disabled", "enable it under Enterprise applications"),
    700027: (
        "the certificate is not accepted",
        "upload the certificate of AZURE_CLIENT_CERTIFICATE_PATH to the app registration",
    ),
    700024: (
        "the signed statement is too old or too new",
        "check the clock and that AZURE_FEDERATED_TOKEN_FILE is renewed",
    ),
    700021: ("the signed statement is another application's", "check AZURE_CLIENT_ID"),
    70021: ("no federated credential matches", _TRUST),
    700211: ("no federated credential has this issuer", _TRUST),
    700212: ("no federated credential has this audience", _TRUST),
    700213: ("no federated credential has this subject", _TRUST),
    70025: ("the application has no federated credential", "add one to the app registration"),
    50027: ("the signed statement is not valid", "check what AZURE_FEDERATED_TOKEN_FILE holds"),
    90002: ("the tenant does not exist", "check AZURE_TENANT_ID and DEFENDER_CLOUD"),
    900023: ("the tenant id is malformed", "set AZURE_TENANT_ID to the directory (tenant) id"),
    900144: ("a part of the request is missing", "check AZURE_CLIENT_ID"),
    9001023: ("this sign-in needs a tenant of its own", _TENANT),
    900382: ("the application belongs to another cloud", _TENANT),
    900432: ("the application belongs to another cloud", _TENANT),
    70011: ("the scope is not valid here", _API),
    500011: ("the API is not known in this tenant", _API),
    700022: ("the scope names several APIs", _API),
    700023: ("the scope names no API of this cloud", _API),
    53003: ("blocked by Conditional Access", "exclude the workload identity from the policy"),
    530032: ("blocked by a tenant policy", "ask the tenant's administrator"),
    90055: ("Entra ID throttles this tenant", "wait some minutes and try again"),
    65001: ("consent is missing", "have an administrator consent to the application's permissions"),
    65004: ("the consent was declined", "sign in again and accept the permissions"),
    50034: ("the person is not in this tenant", "sign in with an account of AZURE_TENANT_ID"),
    50057: ("the person's account is disabled", "sign in with another account"),
    50105: ("the person may not use the application", "assign it under Enterprise applications"),
    50076: ("a second factor is needed", _BY_HAND),
    50078: ("the second factor has expired", _BY_HAND),
    50079: ("a second factor has to be set up", _BY_HAND),
    50158: ("a further check of the person is needed", _BY_HAND),
    50173: ("the person's sign-in was revoked", _BY_HAND),
    70008: ("the person's sign-in has expired", _BY_HAND),
    70043: ("the person's sign-in has expired", _BY_HAND),
    700082: ("the person's sign-in has expired", _BY_HAND),
    53000: ("this device is not accepted", _POLICY),
    53001: ("this device is not joined", _POLICY),
    70016: ("nobody entered the code in time", _BY_HAND),
    70018: ("the code is not valid", _BY_HAND),
    70019: ("the code has expired", _BY_HAND),
    70020: ("the code has expired", _BY_HAND),
}
_BY_NAME: Final = {
    "authorization_pending": ("nobody entered the code in time", _BY_HAND),
    "authorization_declined": ("the sign-in was declined", _BY_HAND),
    "bad_verification_code": ("the code is not valid", _BY_HAND),
    "expired_token": ("the code has expired", _BY_HAND),
    "slow_down": ("nobody entered the code in time", _BY_HAND),
}
_WRONG_RESOURCE: Final = frozenset({70011, 500011, 700022, 700023})
_WRONG_NAMES: Final = frozenset({"invalid_resource", "invalid_scope"})
_CODE: Final = re.compile(r"AADSTS([0-9]+)")


class WrongResource(SignInRefused):
    """Refused because of what the token is to be for; another name of the API may do."""


def refusal(answer: Mapping[str, Any], remedy: str = "") -> SignInRefused:
    """Return the error for an answer without a token; `remedy` is for codes that have none."""
    name = str(answer.get("error", "without a reason"))
    found = _CODE.search(str(answer.get("error_description", "")))
    listed = answer.get("error_codes")
    codes = [int(found[1])] if found else []
    codes += [code for code in listed if isinstance(code, int)] if isinstance(listed, list) else []
    known = next((code for code in codes if code in _REMEDIES), None)
    if known is not None:
        return named(known)
    kind = WrongResource if name in _WRONG_NAMES else SignInRefused
    code = codes[0] if codes else 0
    if name in _BY_NAME:
        return kind(code, *_BY_NAME[name])
    problem = f"the answer is {printable(name[:100])}"
    return kind(code, problem, remedy or "look the code up in Microsoft's list of AADSTS errors")


def named(code: int) -> SignInRefused:
    """Return the error for a code of the table."""
    kind = WrongResource if code in _WRONG_RESOURCE else SignInRefused
    return kind(code, *_REMEDIES[code])


def quoted(text: str) -> SignInRefused | None:
    """Return the error for the first code of the table that a text quotes, if it does."""
    codes = (int(code) for code in _CODE.findall(text))
    return next((named(code) for code in codes if code in _REMEDIES), None)
