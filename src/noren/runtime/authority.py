"""The house's own certificate authority: what is made, for how long, and how it is signed. No files here.

Everything is PEM. A certificate for the app side names its part as `urn:noren:<part>`, the vault's names its
host; each is good for its own end of the line only.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from noren.runtime.env import StartRefused

PARTS: Final = ("web", "worker", "admin")
AUTHORITY_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 365
_ROLE: Final = "urn:noren:"
# Two hosts' clocks may differ by so much.
_BEFORE: Final = timedelta(minutes=5)

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's key and certificate."""

    key: Key
    certificate: x509.Certificate

    @classmethod
    def make(cls, now: datetime, days: int = AUTHORITY_DAYS) -> "Authority":
        """Make a new one. Its name holds a part of its key's id, so that two are never taken for one."""
        key = new_key()
        mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        name = _name(f"Noren {mark.digest.hex()[:16]}")
        usage = _usage(key_cert_sign=True, crl_sign=True)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        made = (
            _begun(name, name, key.public_key(), now, now + timedelta(days=days))
            .add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(mark, critical=False)
        )
        return cls(key, made.sign(key, hashes.SHA256()))

    @classmethod
    def of(cls, key: bytes, certificate: bytes) -> "Authority":
        """Read it. Raises StartRefused."""
        return cls(key_of(key), certificate_of(certificate))

    def for_vault(
        self,
        public: ec.EllipticCurvePublicKey,
        hosts: Sequence[str],
        now: datetime,
        days: int = CERTIFICATE_DAYS,
    ) -> x509.Certificate:
        """Certify the vault's key for the hosts' names or addresses."""
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        return self._certify(public, "noren vault", names, ExtendedKeyUsageOID.SERVER_AUTH, (now, days))

    def for_part(
        self, public: ec.EllipticCurvePublicKey, part: str, now: datetime, days: int = CERTIFICATE_DAYS
    ) -> x509.Certificate:
        """Certify a key of one part of the app side."""
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"{_ROLE}{part}")])
        return self._certify(public, f"noren {part}", names, ExtendedKeyUsageOID.CLIENT_AUTH, (now, days))

    def _certify(
        self,
        public: ec.EllipticCurvePublicKey,
        subject: str,
        names: x509.SubjectAlternativeName,
        use: x509.ObjectIdentifier,
        time: tuple[datetime, int],
    ) -> x509.Certificate:
        now, days = time
        # What outlives its authority is believed by nobody.
        end = min(now + timedelta(days=days), self.certificate.not_valid_after_utc)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = (
            _begun(_name(subject), self.certificate.subject, public, now, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(issuer, critical=False)
        )
        return made.sign(self.key, hashes.SHA256())


def new_key() -> Key:
    """Make a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def request(key: Key, part: str) -> x509.CertificateSigningRequest:
    """Ask for a certificate for a part: what leaves the host instead of its key."""
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"{_ROLE}{part}")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(_name(f"noren {part}"))
    return asked.add_extension(names, critical=False).sign(key, hashes.SHA256())


def requests_of(text: bytes) -> list[tuple[str, ec.EllipticCurvePublicKey]]:
    """Read requests: for which part, and its key. Raises StartRefused."""
    ended = b"-----END CERTIFICATE REQUEST-----"
    try:
        found = [x509.load_pem_x509_csr(one + ended) for one in text.split(ended)[:-1]]
        return [(_part_asked(one), _public(one)) for one in found]
    except (ValueError, InvalidSignature, x509.ExtensionNotFound) as fault:
        raise StartRefused(f"This is no request for a certificate: {fault}") from None


def part_of(certificate: x509.Certificate) -> str | None:
    """Say for which part of the app side a certificate is; None for any other."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    return _part(names)


def hosts_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses a vault's certificate is for."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]


def serial(certificate: x509.Certificate) -> str:
    """Return the serial as the ledger writes it."""
    return f"{certificate.serial_number:x}"


def key_of(text: bytes) -> Key:
    """Read a key. Raises StartRefused."""
    try:
        found = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError):
        raise StartRefused("This is no private key.") from None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise StartRefused("This is a key of another kind.")
    return found


def certificate_of(text: bytes) -> x509.Certificate:
    """Read the first certificate. Raises StartRefused."""
    return certificates_of(text)[0]


def certificates_of(text: bytes) -> list[x509.Certificate]:
    """Read all certificates, one at least. Raises StartRefused."""
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError:
        raise StartRefused("This holds no certificate.") from None


def key_text(key: Key) -> bytes:
    """Write a key: it is the file that is kept from others, a password would lie beside it."""
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())


def text(made: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    """Write a certificate or a request."""
    return made.public_bytes(serialization.Encoding.PEM)


def _begun(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(end)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(**wanted: bool) -> x509.KeyUsage:
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**dict.fromkeys(every, False) | wanted)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _part_asked(asked: x509.CertificateSigningRequest) -> str:
    if not asked.is_signature_valid:
        raise ValueError("its signature does not hold")
    part = _part(asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if part is None:
        raise ValueError(f"it names none of {', '.join(PARTS)}")
    return part


def _part(names: x509.SubjectAlternativeName) -> str | None:
    found = [n.removeprefix(_ROLE) for n in names.get_values_for_type(x509.UniformResourceIdentifier)]
    return found[0] if len(found) == 1 and found[0] in PARTS else None


def _public(asked: x509.CertificateSigningRequest) -> ec.EllipticCurvePublicKey:
    public = asked.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise ValueError("its key is of another kind")  # noqa: TRY004 - the request's fault, not our code's
    return public
