"""Assertions: signed statements that an application proves itself with in place of a secret.

Signed with the key of a registered certificate, or by an issuer that the application trusts.
"""

import base64
import binascii
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from etl.sandbox.application import Application
from etl.sandbox.refusal import Refusal

KIND: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EXCHANGE: Final = "api://AzureADTokenExchange"
_SKEW: Final = 300
"""Seconds that clocks may differ by."""

_THUMBPRINTS: Final[dict[str, tuple[str, hashes.HashAlgorithm]]] = {
    "PS256": ("x5t#S256", hashes.SHA256()),
    "RS256": ("x5t", hashes.SHA1()),  # noqa: S303 - the older header is defined so
}
"""The header that names the certificate, by algorithm of the signature."""


def _refuse(code: int, text: str) -> Refusal:
    return Refusal(code, "invalid_client", text, 401)


@dataclass(slots=True)
class Assertions:
    """Checks assertions, and knows those that it has seen."""

    _seen: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, assertion: str, application: Application, endpoint: str) -> None:
        """Raise Refusal unless the assertion proves that the application asks at an endpoint."""
        try:
            parts = jwt.decode_complete(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise _refuse(50027, "Invalid JWT token. Token format not valid.") from None
        header, said = parts["header"], parts["payload"]
        if any(name in header for name, _ in _THUMBPRINTS.values()):
            self._check_signed(assertion, header, application, endpoint)
        elif said.get("iss") == application.client:
            text = "Invalid JWT token. No certificate thumbprint specified in token header."
            raise _refuse(50027, text)
        else:
            _check_federated(assertion, said, application)

    def _check_signed(
        self, assertion: str, header: dict[str, Any], application: Application, endpoint: str
    ) -> None:
        certificate = _certificate(header, application)
        key = certificate.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        said = _verified(assertion, key.decode(), header["alg"], endpoint, "jti")
        if not said["iss"] == said["sub"] == application.client:
            text = "Client assertion application identifier doesn't match 'client_id' parameter."
            raise _refuse(700021, text)
        with self._lock:
            first = self._seen.setdefault((application.client, str(said["jti"])), assertion)
        if first != assertion:
            raise _refuse(700027, "Client assertion with this 'jti' was already presented.")


def _certificate(header: dict[str, Any], application: Application) -> x509.Certificate:
    """Return the registered certificate that a header names."""
    name, algorithm = _THUMBPRINTS.get(str(header.get("alg")), ("", hashes.SHA256()))
    named = _bytes(header.get(name, ""))
    found = next(
        (one for one in _registered(application) if one.fingerprint(algorithm) == named), None
    )
    if found is None:
        raise _refuse(
            700027,
            "The certificate with identifier used to sign the client assertion is not registered "
            "on application. [Reason - The key was not found., Thumbprint of key used by client: "
            f"'{named.hex().upper()}', app Id '{application.client}'.]",
        )
    chain = header.get("x5c")
    leaf = found.public_bytes(serialization.Encoding.DER)
    if chain is not None and not (isinstance(chain, list) and chain and _bytes(chain[0]) == leaf):
        text = "Client assertion failed signature validation. [Reason - x5c is of another key.]"
        raise _refuse(700027, text)
    if found.not_valid_after_utc < datetime.now(UTC):
        text = f"[Reason - The key used is expired., Found key 'End={found.not_valid_after_utc}']"
        raise _refuse(700027, f"Client assertion contains an invalid signature. {text}")
    return found


def _registered(application: Application) -> list[x509.Certificate]:
    text = application.certificate
    return x509.load_pem_x509_certificates(text.encode()) if text else []


def _bytes(text: object) -> bytes:
    """Return what base64 of either alphabet says, over lines or not; nothing where it is none."""
    plain = "".join(str(text).split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return b""


def _check_federated(assertion: str, said: dict[str, Any], application: Application) -> None:
    trust = application.federated
    if trust is None:
        text = (
            f"The client '{application.client}' has no configured federated identity credentials."
        )
        raise _refuse(70025, text)
    audiences = said.get("aud")
    expected = (
        (700211, "issuer", said.get("iss"), said.get("iss") == trust.issuer),
        (700213, "subject", said.get("sub"), said.get("sub") == trust.subject),
        (700212, "audience", audiences, audiences in (_EXCHANGE, [_EXCHANGE])),
    )
    for code, name, value, good in expected:
        if not good:
            raise _refuse(
                code,
                f"No matching federated identity record found for presented assertion {name} "
                f"'{value}'. Check your federated identity credential Subject, Audience and Issuer "
                "against the presented assertion.",
            )
    _verified(assertion, trust.public_key, "RS256", _EXCHANGE)


def _verified(
    assertion: str, key: str, algorithm: str, audience: str, *required: str
) -> dict[str, Any]:
    """Return what an assertion says once its signature, its time and its audience are good."""
    try:
        said: dict[str, Any] = jwt.decode(
            assertion,
            key,
            algorithms=[algorithm],
            audience=audience,
            leeway=_SKEW,
            options={"require": ["aud", "exp", "iss", "sub", *required]},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        now = datetime.now(UTC).isoformat()
        text = f"Client assertion is not within its valid time range. Current time: {now}."
        raise _refuse(700024, text) from None
    except jwt.InvalidAudienceError:
        text = "Client assertion audience claim does not match Realm issuer."
        raise _refuse(700023, text) from None
    except jwt.MissingRequiredClaimError as error:
        raise _refuse(50027, f"Invalid JWT token. {error}.") from None
    except jwt.PyJWTError:
        text = (
            "Client assertion failed signature validation. "
            "[Reason - The provided signature value did not match the expected signature value.]"
        )
        raise _refuse(700027, text) from None
    return said
