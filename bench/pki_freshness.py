"""From a close to the refusal: until OCSP says it, and until the revocation list has it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import msgspec
from cryptography import x509
from cryptography.x509 import ocsp


class Side(Protocol):
    """An authority that ends certificates and publishes what ended."""

    name: str

    def end(self, certificate: x509.Certificate) -> None:
        """Close or revoke, and wait for the answer."""

    def ocsp(self, certificate: x509.Certificate) -> bytes:
        """The OCSP answer about a certificate, DER."""

    def crl(self) -> bytes:
        """The complete revocation list, DER."""


class Freshness(msgspec.Struct, frozen=True):
    """Milliseconds, each a median and a 99th percentile.

    Args:
        answer: from sending the close to its answer.
        ocsp: from sending it until OCSP said `revoked`.
        crl: from sending it until the list had the serial number; asked after OCSP had said so.
        after: from its answer until both said so.
        early: how often OCSP or the list was asked and did not yet say so.
    """

    answer: tuple[float, float]
    ocsp: tuple[float, float]
    crl: tuple[float, float]
    after: tuple[float, float]
    early: int


def freshness(side: Side, certificates: Sequence[x509.Certificate]) -> Freshness:
    """End certificates one after the other, and watch each until everybody would refuse it."""
    answered: list[float] = []
    by_ocsp: list[float] = []
    by_crl: list[float] = []
    after: list[float] = []
    early = 0
    for certificate in certificates:
        sent = time.perf_counter()
        side.end(certificate)
        done = time.perf_counter()
        while not _refused(side.ocsp(certificate)):
            early += 1
        told = time.perf_counter()
        while not _listed(side.crl(), certificate.serial_number):
            early += 1
        listed = time.perf_counter()
        answered.append(done - sent)
        by_ocsp.append(told - sent)
        by_crl.append(listed - sent)
        after.append(listed - done)
    return Freshness(_shares(answered), _shares(by_ocsp), _shares(by_crl), _shares(after), early)


def _refused(answer: bytes) -> bool:
    return ocsp.load_der_ocsp_response(answer).certificate_status is ocsp.OCSPCertStatus.REVOKED


def _listed(crl: bytes, serial: int) -> bool:
    found = x509.load_der_x509_crl(crl).get_revoked_certificate_by_serial_number(serial)
    return found is not None


def _shares(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return 1e3 * ordered[len(ordered) // 2], 1e3 * ordered[int(len(ordered) * 0.99)]
