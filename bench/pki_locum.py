"""Locum for benchmarks of certificates: mTLS, an open rotation window, many requests made ready."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from bench.load import Run
from bench.pki_load import Line, body_of, drive, request
from bench.pki_openbao import ocsp_call
from bench.pki_requests import NAME
from locum.evidence.x509 import facts_of
from locum.laws.permits import Refusal
from locum.model.cause import Cause
from locum.model.names import GrantId, IdentityName, PathName
from locum.model.presenter import Presenter
from locum.model.request import ask_of
from locum.service.ask import Asked, make_request
from locum.service.authority_keys import make_authority
from locum.service.caller import Proven
from locum.service.starting import Started, make_folder, start
from locum.store.port import Transaction
from locum.store.records import CertificateRow, Row

_ESTATE = """version: 1
groups: {administrators: [bob]}
trust:
  corporate-ca:
    certificates: |
%(root)s
identities:
  bob: {kind: human, owner: b@example.com, primary: {method: passkey-device-bound}}
  payments:
    kind: workload
    owner: team
    primary:
      method: x509-certificate
      known_by: {trust: corporate-ca, name: "dns:%(name)s"}
      authority: {audiences: [ledger.internal]}
    fallbacks:
      rotation-backup:
        method: backup-certificate
        causes: [planned-rotation]
        limits: {ttl: 1h, window: 4h, uses: 1}
        closes: [cutover]
        cutover: {endpoint: "127.0.0.1:1", server_name: %(name)s}
        rotation: {first: "%(first)s", every: 60d}
        review: {by: administrators, within: 24h}
        owner: team
        reason: measure
        until: 2099-12-31
"""
_JSON = (("Content-Type", "application/json"),)
_KEPT_IN_ONE_ACT = 1_000


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class LocumPki:
    """A Locum with `ready` requests inside an open window, in its own processes.

    Args:
        revoked: how many revoked certificates its store begins with.
    """

    name = "Locum"

    def __init__(self, ready: int, *, fronts: int, revoked: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-pki-"))
        port, plain = _free_port(), _free_port()
        self.origin, self.plain = f"https://localhost:{port}", f"http://127.0.0.1:{plain}"
        primary = self._certificates()
        data = self.folder / "data"
        settings = (
            f'[server]\norigin = "{self.origin}"\nport = {port}\ncertificate = "server.pem"\n'
            'key = "server.key"\ncalls_per_second = 1e6\nburst = 1e6\n'
            f'fronts = {fronts}\n[pki]\nurl = "{self.plain}"\nlisten_port = {plain}\n'
        )
        make_folder(data, settings, now, secrets.token_bytes)
        for name in ("server.pem", "server.key"):
            shutil.copy(self.folder / name, data / name)
        self._requests = self._prepare(data, primary, ready, revoked)
        self._grants: dict[int, str] = {}
        self._serve(data)
        chain = x509.load_pem_x509_certificates(httpx.get(f"{self.plain}/pki/ca.pem").content)
        self.issuer = chain[0]
        self.trust = ssl.create_default_context(cafile=str(self.folder / "root.pem"))
        self.trust.load_cert_chain(self.folder / "primary.pem", self.folder / "primary.key")
        self._close = Line(self.origin, self.trust)
        self._lines = [Line(self.plain, None) for _ in range(2)]

    @property
    def pid(self) -> int:
        """The deciding process; the fronts are its children."""
        return self._process.pid

    def close(self) -> None:
        """End it and remove its folder."""
        self._process.terminate()
        self._process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def issue(
        self, requests: Sequence[str], clients: int, seconds: float
    ) -> tuple[Run, list[x509.Certificate]]:
        """Activate requests that are ready, each with a signing request."""
        chosen = [self._requests.pop() for _ in requests]
        calls = [
            self._call(f"requests/{one}/activate", {"csr": pem})
            for one, pem in zip(chosen, requests, strict=True)
        ]
        run, answers = drive(
            self.origin, calls, clients, seconds, self.pid, status=201, trust=self.trust
        )
        return run, [self._opened(body_of(one)) for one in answers]

    def end(self, certificate: x509.Certificate) -> None:
        """Close the grant of a certificate."""
        grant = self._grants[certificate.serial_number]
        answer = self._close.ask(self._call(f"grants/{grant}/close", {"reason": "measure"}))
        if not answer.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(repr(answer))

    def crl(self) -> bytes:
        """The complete list, DER."""
        return body_of(self._lines[0].ask(request("GET", f"{self.plain}/pki/crl.der")))

    def part(self, certificate: x509.Certificate) -> bytes:
        """The part of the list that a certificate's own pointer names, DER."""
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        [named] = [name.value for point in points for name in point.full_name or ()]
        return body_of(self._lines[0].ask(request("GET", named)))

    def ocsp(self, certificate: x509.Certificate) -> bytes:
        """The answer about one certificate, DER."""
        return body_of(self._lines[1].ask(self._ocsp_call(certificate)))

    def ocsp_load(self, certificates: Sequence[x509.Certificate], seconds: float) -> Run:
        """Ask about certificates from 8 clients, in a circle."""
        calls = [self._ocsp_call(one) for one in certificates]
        run, _ = drive(self.plain, calls, 8, seconds, self.pid, status=200, again=True)
        return run

    def _ocsp_call(self, certificate: x509.Certificate) -> bytes:
        return ocsp_call(f"{self.plain}/pki/ocsp", certificate, self.issuer)

    def _call(self, path: str, fields: dict[str, str]) -> bytes:
        return request("POST", f"{self.origin}/v1/{path}", json.dumps(fields).encode(), _JSON)

    def _opened(self, body: bytes) -> x509.Certificate:
        said = json.loads(body)
        leaf = x509.load_pem_x509_certificate(said["credential"]["value"].encode())
        self._grants[leaf.serial_number] = said["grant"]["id"]
        return leaf

    def _certificates(self) -> x509.Certificate:
        """A corporate authority, the service's primary, and what Locum serves with."""
        key, root = _signed("CN=Example corporate CA", "", None, None)
        (self.folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
        for file, name in (("primary", NAME), ("server", "localhost")):
            own, leaf = _signed(f"CN={name.split('.')[0]},O=Example", name, key, root)
            private = own.private_bytes(
                Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            (self.folder / f"{file}.key").write_bytes(private)
            (self.folder / f"{file}.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        return x509.load_pem_x509_certificate((self.folder / "primary.pem").read_bytes())

    def _prepare(
        self, data: Path, primary: x509.Certificate, ready: int, revoked: int
    ) -> list[str]:
        root = (self.folder / "root.pem").read_text()
        estate = _ESTATE % {
            "root": "\n".join(f"      {line}" for line in root.splitlines()),
            "name": NAME,
            "first": (now() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        (data / "estate.yaml").write_text(estate)
        started = start(data, now, secrets.token_bytes)
        make_authority(started.builtin, "p256", "localhost", now(), secrets.token_bytes)
        try:
            made = _made_ready(started, primary, ready)
            _revoke(started, primary, revoked)
        finally:
            started.locum.store.close()
        return made

    def _serve(self, data: Path) -> None:
        log = self.folder / "server.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "locum", "serve", "--data", str(data)],
                stdout=out,
                stderr=out,
            )
        trusted = ssl.create_default_context(cafile=str(self.folder / "root.pem"))
        for _ in range(300):
            try:
                if httpx.get(f"{self.origin}/readyz", timeout=2, verify=trusted).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise RuntimeError(log.read_text()[-2000:])


def _made_ready(started: Started, primary: x509.Certificate, count: int) -> list[str]:
    locum, identity = started.locum, IdentityName("payments")
    presenter = Presenter(identity, "x509-certificate", frozenset(), facts_of(primary))
    asked = Asked(PathName(identity, "rotation-backup"), Cause.PLANNED_ROTATION, "measure")

    def ask(number: int) -> Future[Row | Refusal]:
        proven = Proven("bench", f"prepared-{number}", "127.0.0.1", presenter)
        return locum.store.act(lambda transaction: make_request(locum, transaction, proven, asked))

    made: list[str] = []
    for first in range(0, count, 400):
        waiting = [ask(number) for number in range(first, min(first + 400, count))]
        for one in waiting:
            outcome = one.result()
            if isinstance(outcome, Refusal):
                raise RuntimeError(str(outcome.breaches))
            made.append(ask_of(outcome.state).id)
    while started.sequencer.integrate():
        continue
    return made


def _revoke(started: Started, like: x509.Certificate, count: int) -> None:
    """Put revoked certificates into the store; they differ by serial number and key."""
    begins, ends, body = now(), now() + timedelta(hours=1), like.public_bytes(Encoding.DER)

    def keep(first: int, transaction: Transaction) -> None:
        grant = GrantId(f"gr_bench{first:08x}")
        for number in range(first, min(first + _KEPT_IN_ONE_ACT, count)):
            digest = hashlib.sha256(f"{number}".encode()).hexdigest()
            transaction.add_certificate(
                CertificateRow(f"7{digest[:37]}", grant, digest, digest, begins, ends, body)
            )
        transaction.revoke_certificates(grant, now(), "superseded")

    for first in range(0, count, _KEPT_IN_ONE_ACT):
        started.locum.store.act(partial(keep, first)).result()


def _signed(
    subject: str,
    name: str,
    issuer_key: ec.EllipticCurvePrivateKey | None,
    issuer: x509.Certificate | None,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name.from_rfc4514_string(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(minutes=5))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if name:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    signer = key if issuer_key is None else issuer_key
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    subject_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identifier, False).add_extension(subject_id, False)
    return key, builder.sign(signer, hashes.SHA256())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class PartOf:
    """A Locum whose relying parties fetch the part that a certificate names, not the whole list."""

    name = "its part"

    def __init__(self, locum: LocumPki) -> None:
        self._locum = locum
        self._closed: x509.Certificate | None = None

    def end(self, certificate: x509.Certificate) -> None:
        """Close the grant of a certificate, whose part is asked for from now on."""
        self._closed = certificate
        self._locum.end(certificate)

    def crl(self) -> bytes:
        """The part of what was closed last, DER."""
        return b"" if self._closed is None else self._locum.part(self._closed)

    def ocsp(self, certificate: x509.Certificate) -> bytes:
        """The answer about one certificate, DER."""
        return self._locum.ocsp(certificate)
