"""Keys and certificates for tests that sign in with them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    """A certificate of a key, and the one of its issuer, both as PEM."""

    certificate: str
    issuer: str

    @classmethod
    def make(cls, key: Key, *, days: tuple[int, int] = (-1, 30)) -> "Identity":
        """Issue a certificate that is valid between two days from now."""
        above = ec.generate_private_key(ec.SECP256R1())
        issuer = _issue("issuer", above, above, days)
        return cls(_issue("application", key, above, days), issuer)


def _issue(name: str, key: Key, above: ec.EllipticCurvePrivateKey, days: tuple[int, int]) -> str:
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .sign(above, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def pem(key: Key, password: str | None = None) -> str:
    """Return a private key as PEM, encrypted where there is a password."""
    kept = (
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept
    ).decode()
