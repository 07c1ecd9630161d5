"""OpenBao's PKI for comparison: issue from a signing request with a lease, revoke, publish."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from bench.load import Run
from bench.openbao import OpenBao
from bench.pki_load import Line, body_of, drive, request
from bench.pki_requests import NAME

_LEASED = "leased"
_STORED = "stored"


class OpenBaoPki:
    """A mount with a P-256 authority and two roles: one leases what it signs, one does not."""

    name = "OpenBao"

    def __init__(self) -> None:
        self.bao = OpenBao()
        client = self.bao.client
        client.sys.enable_secrets_engine("pki", path="pki", config={"max_lease_ttl": "8760h"})
        made = client.write_data(
            "pki/root/generate/internal",
            data={"common_name": "Bench", "key_type": "ec", "key_bits": 256, "ttl": "8760h"},
        )
        self.issuer = x509.load_pem_x509_certificate(made["data"]["certificate"].encode())
        addresses = {
            "crl_distribution_points": f"{self.bao.url}/v1/pki/crl",
            "ocsp_servers": f"{self.bao.url}/v1/pki/ocsp",
        }
        client.write_data("pki/config/urls", data=addresses)
        for role in (_LEASED, _STORED):
            fields = {
                "allowed_domains": NAME, "allow_bare_domains": True, "key_type": "ec",
                "generate_lease": role == _LEASED, "no_store": False, "ttl": "1h",
                "use_csr_common_name": False, "key_usage": "DigitalSignature",
            }  # fmt: skip
            client.write_data(f"pki/roles/{role}", data=fields)
        self._headers = (("X-Vault-Token", client.token),)
        self._lines = [Line(self.bao.url, None) for _ in range(3)]

    def close(self) -> None:
        """End it and remove its folder."""
        self.bao.close()

    def issue(
        self, requests: Sequence[str], clients: int, seconds: float, *, leased: bool = True
    ) -> tuple[Run, list[x509.Certificate]]:
        """Have requests signed, each once, by the role that leases or by the one that does not."""
        role = _LEASED if leased else _STORED
        calls = [self._call(f"sign/{role}", {"csr": pem, "common_name": NAME}) for pem in requests]
        run, answers = drive(self.bao.url, calls, clients, seconds, self.bao.pid, status=200)
        said = [json.loads(body_of(one))["data"]["certificate"] for one in answers]
        return run, [x509.load_pem_x509_certificate(one.encode()) for one in said]

    def end(self, certificate: x509.Certificate) -> None:
        """Revoke a certificate."""
        answer = self._lines[0].ask(self._revocation(certificate))
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(repr(answer))

    def end_all(self, certificates: Sequence[x509.Certificate], clients: int) -> Run:
        """Revoke certificates without building the list for each; it is built once at the end."""
        self.bao.client.write_data("pki/config/crl", data={"auto_rebuild": True, "expiry": "72h"})
        calls = [self._revocation(one) for one in certificates]
        run, _ = drive(self.bao.url, calls, clients, 3_600, self.bao.pid, status=200)
        return run

    def rebuild(self) -> float:
        """Build the list anew; gives the seconds it took."""
        began = time.perf_counter()
        answer = self._lines[0].ask(request("GET", f"{self.bao.url}/v1/pki/crl/rotate", b"",
                                            self._headers))  # fmt: skip
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(repr(answer))
        return time.perf_counter() - began

    def publish_at_once(self) -> None:
        """Build the list anew with each revocation, as is OpenBao's default."""
        self.bao.client.write_data("pki/config/crl", data={"auto_rebuild": False})

    def crl(self) -> bytes:
        """The list as it is published, DER."""
        return body_of(self._lines[1].ask(request("GET", f"{self.bao.url}/v1/pki/crl")))

    def ocsp(self, certificate: x509.Certificate) -> bytes:
        """The answer about one certificate, DER."""
        return body_of(self._lines[2].ask(self.ocsp_call(certificate)))

    def ocsp_call(self, certificate: x509.Certificate) -> bytes:
        """The whole request about one certificate."""
        return ocsp_call(f"{self.bao.url}/v1/pki/ocsp", certificate, self.issuer)

    def ocsp_load(self, certificates: Sequence[x509.Certificate], seconds: float) -> Run:
        """Ask about certificates from 8 clients, in a circle."""
        calls = [self.ocsp_call(one) for one in certificates]
        run, _ = drive(self.bao.url, calls, 8, seconds, self.bao.pid, status=200, again=True)
        return run

    def _revocation(self, certificate: x509.Certificate) -> bytes:
        number = certificate.serial_number
        serial = number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")
        return self._call("revoke", {"serial_number": serial})

    def _call(self, path: str, fields: dict[str, object]) -> bytes:
        body = json.dumps(fields).encode()
        return request("POST", f"{self.bao.url}/v1/pki/{path}", body, self._headers)


def ocsp_call(url: str, certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """A whole OCSP request by POST."""
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())
    der = asked.build().public_bytes(Encoding.DER)
    return request("POST", url, der, (("Content-Type", "application/ocsp-request"),))
