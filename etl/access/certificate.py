"""A client certificate: read from a PEM file, and found fit to sign in with before it is tried.

The file holds the private key, maybe encrypted, and the certificate, maybe with those above it, in
any order. Neither key nor password is part of a message.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from etl.errors import ConfigError

_PATH: Final = "AZURE_CLIENT_CERTIFICATE_PATH"
_PASSWORD: Final = "AZURE_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105 - the variable's name
_KEY: Final = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----\s", re.DOTALL)
_BOTH: Final = "put key and certificate into one PEM file; openssl pkcs12 makes it from a .pfx"


def proof(path: Path, password: str | None) -> dict[str, str]:
    """Return what MSAL signs with: the key, and the certificate that belongs to it.

    The certificate is sent along, with those above it if the file has some: registrations by
    subject name and issuer need them.
    Raises ConfigError.
    """
    try:
        content = path.read_bytes() + b"\n"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        problem = f"{str(path)!r} cannot be read ({reason})"
        raise ConfigError(_PATH, problem, "name a PEM file that this user may read") from error
    key = _key(content, path, password)
    certificate = _certificate(content, path, key)
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc < now:
        problem = (
            f"the certificate in {str(path)!r} expired on {certificate.not_valid_after_utc:%F}"
        )
        raise ConfigError(_PATH, problem, "make a new one and upload it to the app registration")
    if certificate.not_valid_before_utc > now:
        start = f"{certificate.not_valid_before_utc:%F %R}"
        problem = f"the certificate in {str(path)!r} is not valid before {start} UTC"
        raise ConfigError(_PATH, problem, "check the clock")
    found = {
        "private_key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "public_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }
    above = [one for one in x509.load_pem_x509_certificates(content) if one != certificate]
    if above:  # MSAL sends more than one certificate only beside the thumbprint of old, a SHA-1
        found["thumbprint"] = certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303
        chain = (one.public_bytes(serialization.Encoding.PEM).decode() for one in above)
        found["public_certificate"] += "".join(chain)
    return found


def _key(content: bytes, path: Path, password: str | None) -> RSAPrivateKey:
    found = _KEY.search(content)
    if found is None:
        raise ConfigError(_PATH, f"{str(path)!r} holds no private key in PEM", _BOTH)
    key = _opened(found[0], path, password)
    if not isinstance(key, RSAPrivateKey):
        problem = f"the key in {str(path)!r} is no RSA key, which Entra ID asks for"
        raise ConfigError(_PATH, problem, "make a certificate with an RSA key")
    return key


def _opened(block: bytes, path: Path, password: str | None) -> PrivateKeyTypes:
    encrypted = b"ENCRYPTED" in block
    if encrypted and password is None:
        problem = f"is not set, and the key in {str(path)!r} is encrypted"
        raise ConfigError(_PASSWORD, problem, "set it to the key's password")
    secret = password.encode() if encrypted and password else None
    try:
        return serialization.load_pem_private_key(block, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted:
            problem = f"does not open the key in {str(path)!r}"
            raise ConfigError(_PASSWORD, problem, "set it to the key's password") from None
        problem = f"the private key in {str(path)!r} is not whole"
        raise ConfigError(_PATH, problem, _BOTH) from None


def _certificate(content: bytes, path: Path, key: RSAPrivateKey) -> x509.Certificate:
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise ConfigError(_PATH, f"{str(path)!r} holds no certificate in PEM", _BOTH)
    try:
        held = x509.load_pem_x509_certificates(content)
        mine = [one for one in held if one.public_key() == key.public_key()]
    except (ValueError, UnsupportedAlgorithm) as error:
        problem = f"a certificate in {str(path)!r} is not whole"
        raise ConfigError(_PATH, problem, _BOTH) from error
    if not mine:
        problem = f"the key in {str(path)!r} belongs to no certificate in it"
        raise ConfigError(_PATH, problem, "put the certificate that was made from the key into it")
    return max(mine, key=lambda one: one.not_valid_after_utc)
