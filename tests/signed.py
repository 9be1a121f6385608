"""What tests of sign-in share: key pairs with certificates, assertions, and plain requests."""

import base64
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from etl.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Sandbox

SCOPE = "https://graph.microsoft.com/.default"
ALERTS = "/v1.0/security/alerts_v2"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FINGERPRINTS: dict[str, hashes.HashAlgorithm] = {
    "x5t": hashes.SHA1(),  # noqa: S303 - the older header is defined so
    "x5t#S256": hashes.SHA256(),
}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An RSA key and a self-signed certificate of it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, days: int = 30) -> Self:
        """Make one whose certificate ends after so many days."""
        key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "defender-etl")])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
        )
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def pem(self) -> str:
        """Return the certificate as it is registered."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def public(self) -> str:
        """Return the public key."""
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        public = self.key.public_key()
        return public.public_bytes(serialization.Encoding.PEM, kind).decode()

    @property
    def private(self) -> str:
        """Return the private key."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    @property
    def x5c(self) -> list[str]:
        """Return the header that carries the certificate."""
        return [
            base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()
        ]

    def fingerprint(self, header: str) -> bytes:
        """Return the certificate's fingerprint that a header holds."""
        return self.certificate.fingerprint(FINGERPRINTS[header])

    def headers(self, *names: str) -> dict[str, Any]:
        """Return the headers that name the certificate; by default the one of today."""
        return {
            name: base64.urlsafe_b64encode(self.fingerprint(name)).decode().rstrip("=")
            for name in names or ("x5t#S256",)
        }

    def sign(self, claims: dict[str, Any], headers: dict[str, Any], algorithm: str) -> str:
        """Return a signed assertion."""
        return jwt.encode(claims, self.key, algorithm=algorithm, headers=headers)


def claims(sandbox: Sandbox, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - of any kind
    """Return what a good assertion of the application says; None leaves a claim out."""
    now = int(time.time())
    said = {
        "aud": f"{sandbox.url}/{TENANT_ID}/oauth2/v2.0/token",
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": uuid.uuid4().hex,
        "nbf": now,
        "exp": now + 600,
    } | changed
    return {name: value for name, value in said.items() if value is not None}


def session(sandbox: Sandbox) -> requests.Session:
    """Return a session that trusts a sandbox, and nobody's environment."""
    opened = requests.Session()
    opened.trust_env = False
    opened.verify = sandbox.environment["REQUESTS_CA_BUNDLE"]
    return opened


def post(
    sandbox: Sandbox, form: dict[str, str], endpoint: str = "token", tenant: str = TENANT_ID
) -> requests.Response:
    """Send a form to a sign-in endpoint."""
    with session(sandbox) as opened:
        url = f"{sandbox.url}/{tenant}/oauth2/v2.0/{endpoint}"
        return opened.post(url, data=form, timeout=30)


def token(sandbox: Sandbox, tenant: str = TENANT_ID, **changed: str) -> requests.Response:
    """Ask for a token with the secret, with some form fields changed."""
    fields = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": SCOPE,
    }
    return post(sandbox, fields | changed, tenant=tenant)


def asserted(sandbox: Sandbox, assertion: str, **changed: str) -> requests.Response:
    """Ask for a token with an assertion."""
    proof = {"client_assertion_type": ASSERTION, "client_assertion": assertion}
    return token(sandbox, **({"client_secret": ""} | proof | changed))


def get(sandbox: Sandbox, token: str, path: str = ALERTS) -> requests.Response:
    """Ask an API with a token."""
    with session(sandbox) as opened:
        headers = {"Authorization": f"Bearer {token}"}
        return opened.get(sandbox.url + path, headers=headers, timeout=30)


def said(token: str) -> dict[str, Any]:
    """Return what a token says, unchecked."""
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded
