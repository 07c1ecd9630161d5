"""Backup certificates in SQL: whose they are, and when they were revoked."""

from __future__ import annotations

from datetime import datetime

from locum.model.names import GrantId
from locum.store.columns import instant, maybe, micros
from locum.store.records import CertificateMark, CertificateRow
from locum.store.statements import On, taken_by_another

_COLUMNS = "serial, grant_id, fingerprint, key, not_before, not_after, revoked_at, reason, body"
_STANDING = "revoked_at IS NOT NULL AND not_after > ?"
SHARDS = 64
"""How many parts the revocation list is served in."""


def shard_of(serial: str) -> int:
    """The part of the revocation list that a serial number (hexadecimal) belongs to."""
    return int(serial[-2:], 16) % SHARDS


def add_certificate(on: On, certificate: CertificateRow) -> None:
    """Keep an issued certificate, unless its key or serial number had one before."""
    added = on.run(
        "INSERT INTO certificates (serial, grant_id, fingerprint, key, not_before, not_after,"
        " shard, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        certificate.serial,
        certificate.grant,
        certificate.fingerprint,
        certificate.key,
        micros(certificate.not_before),
        micros(certificate.not_after),
        shard_of(certificate.serial),
        certificate.body,
    )
    if not added:
        raise taken_by_another("The key of the certificate")


def certificate(on: On, serial: str) -> CertificateRow | None:
    """The issued certificate of that serial number."""
    found = on.run(f"SELECT {_COLUMNS} FROM certificates WHERE serial = ?", serial)
    return _row(found[0]) if found else None


def certificate_of_key(on: On, key: str) -> CertificateRow | None:
    """The certificate that was issued for that public key."""
    found = on.run(f"SELECT {_COLUMNS} FROM certificates WHERE key = ?", key)
    return _row(found[0]) if found else None


def certificates_of(on: On, grant: GrantId) -> tuple[CertificateRow, ...]:
    """Every certificate of a grant, the oldest first."""
    found = on.run(
        f"SELECT {_COLUMNS} FROM certificates WHERE grant_id = ? ORDER BY not_before, serial",
        grant,
    )
    return tuple(_row(one) for one in found)


def revoke_certificates(on: On, grant: GrantId, now: datetime, reason: str) -> tuple[str, ...]:
    """Revoke every certificate of a grant; gives the serial numbers of those that were not."""
    found = on.run(
        "UPDATE certificates SET revoked_at = ?, reason = ? WHERE grant_id = ?"
        " AND revoked_at IS NULL RETURNING serial",
        micros(now),
        reason,
        grant,
    )
    return tuple(serial for (serial,) in found)


def revoked_certificates(
    on: On, alive_at: datetime, *, shard: int | None = None, since: datetime | None = None
) -> tuple[tuple[str, str, datetime, str], ...]:
    """Revoked certificates whose end lies after `alive_at`, in the order of their revocation."""
    where, values = [_STANDING], [micros(alive_at)]
    if shard is not None:
        where.append("shard = ?")
        values.append(shard)
    if since is not None:
        where.append("revoked_at > ?")
        values.append(micros(since))
    found = on.run(
        "SELECT serial, fingerprint, revoked_at, reason FROM certificates"
        f" WHERE {' AND '.join(where)} ORDER BY revoked_at, serial",
        *values,
    )
    return tuple((serial, print_, instant(at), reason) for serial, print_, at, reason in found)


def revocation_mark(on: On, alive_at: datetime) -> CertificateMark:
    """What differs whenever the revoked certificates do."""
    found = on.run(
        f"SELECT count(*), max(revoked_at), min(not_after) FROM certificates WHERE {_STANDING}",
        micros(alive_at),
    )
    count, latest, first_end = found[0]
    return CertificateMark(count, maybe(latest), maybe(first_end))


def _row(values: tuple[str, str, str, str, int, int, int | None, str, bytes]) -> CertificateRow:
    serial, grant, fingerprint, key, begins, ends, revoked, reason, body = values
    return CertificateRow(
        serial,
        GrantId(grant),
        fingerprint,
        key,
        instant(begins),
        instant(ends),
        bytes(body),
        maybe(revoked),
        reason,
    )
