"""`make bench-pki`: backup certificates beside OpenBao's PKI: issue, refuse what is closed, lists.

Both sides are durable and can revoke: Locum commits certificate, grant and ledger entry before it
answers (`POST /v1/requests/{id}/activate` over mTLS, all seven laws decided); OpenBao signs the
same requests with a lease, on raft and with a file audit. One client drives both, on the same two
cores; OpenBao is asked without TLS, which favours it.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence

import msgspec
from cryptography import x509

from bench.load import Run
from bench.pki_freshness import Freshness, Side, freshness
from bench.pki_locum import LocumPki, PartOf
from bench.pki_openbao import OpenBaoPki
from bench.pki_requests import signing_requests

_RATES = {1: 1_500, 8: 4_000, 32: 5_000, 128: 6_000}
"""More than either side issues in a second, so that no run ends for want of requests."""
_TIMES_FASTER, _FRESH_MS = 5.0, 250.0


class Wanted(msgspec.Struct, frozen=True):
    """What is to be measured."""

    seconds: float
    clients: tuple[int, ...]
    open: int
    closes: int
    revoked: int
    bao_revoked: int
    fronts: int
    parts: tuple[str, ...]


def main() -> None:
    """Measure, and print each figure with its target."""
    wanted = _wanted()
    print(f"{platform.machine()}, {_model()}, Python {platform.python_version()}")
    print(f"Locum: one deciding process and {wanted.fronts} fronts; costs are of all its processes")
    if "issue" in wanted.parts:
        _issue(wanted)
    if "close" in wanted.parts:
        _close(wanted)
    if "many" in wanted.parts:
        _many(wanted)


def _issue(wanted: Wanted) -> None:
    room = {clients: int(_RATES[clients] * wanted.seconds) for clients in wanted.clients}
    requests = signing_requests(sum(room.values()))
    ours_at, theirs_at = LocumPki(len(requests), fronts=wanted.fronts), OpenBaoPki()
    print(f"\nissue P-256 from a signing request, durable and revocable, {wanted.seconds:g} s each")
    print(
        f"{'clients':>7} | {'Locum/s':>8} {'p50 ms':>7} {'p99':>7} {'p99.9':>7} {'cores':>5} "
        f"{'MB':>5} {'kB/act':>6} | {'OpenBao/s':>9} {'p50':>7} {'p99':>7} {'cores':>5} "
        f"{'MB':>5} {'kB/act':>6} | ratio"
    )
    try:
        for clients in wanted.clients:
            chosen, requests = requests[: room[clients]], requests[room[clients] :]
            theirs, _ = theirs_at.issue(chosen, clients, wanted.seconds)
            ours, _ = ours_at.issue(chosen, clients, wanted.seconds)
            _row(clients, ours, theirs)
            if clients == 32:
                ratio = ours.rate / theirs.rate
                _against(f"issue at 32 clients ≥ {_TIMES_FASTER:g} × OpenBao", f"{ratio:.2f} ×",
                         ratio >= _TIMES_FASTER)  # fmt: skip
    finally:
        ours_at.close()
        theirs_at.close()


def _row(clients: int, ours: Run, theirs: Run) -> None:
    print(
        f"{clients:7} | {ours.rate:8.0f} {ours.p50:7.2f} {ours.p99:7.2f} {ours.p999:7.2f} "
        f"{ours.cpu:5.2f} {ours.rss_mb:5.0f} {ours.written_kb:6.1f} | {theirs.rate:9.0f} "
        f"{theirs.p50:7.2f} {theirs.p99:7.2f} {theirs.cpu:5.2f} {theirs.rss_mb:5.0f} "
        f"{theirs.written_kb:6.1f} | {ours.rate / theirs.rate:5.2f}"
    )
    if ours.wrong or theirs.wrong:
        print(f"        not as expected: {ours.wrong} {ours.said} / {theirs.wrong} {theirs.said}")


def _close(wanted: Wanted) -> None:
    requests = signing_requests(wanted.open)
    ours_at, theirs_at = LocumPki(wanted.open, fronts=wanted.fronts), OpenBaoPki()
    try:
        _, theirs = theirs_at.issue(requests, 8, 3_600)
        _, ours = ours_at.issue(requests, 8, 3_600)
        print(f"\nclose → refused, {len(ours)} certificates open, {wanted.closes} closed in turn")
        _fresh_head()
        _fresh_row(theirs_at.name, freshness(theirs_at, theirs[: wanted.closes]))
        found = freshness(ours_at, ours[: wanted.closes])
        _fresh_row(ours_at.name, found)
        worst = max(found.ocsp[1], found.crl[1])
        _against(f"refused by OCSP and CRL, p99 < {_FRESH_MS:g} ms after the close was sent",
                 f"{worst:.1f} ms", worst < _FRESH_MS)  # fmt: skip
    finally:
        ours_at.close()
        theirs_at.close()


def _fresh_head() -> None:
    print(
        f"{'':8} {'answer ms':>16} {'OCSP refuses':>16} {'CRL lists':>16} {'both, after':>16} "
        f"{'early':>6}\n{'':8}" + f" {'p50':>8} {'p99':>7}" * 4
    )


def _fresh_row(name: str, found: Freshness) -> None:
    pairs = (found.answer, found.ocsp, found.crl, found.after)
    figures = " ".join(f"{middle:8.1f} {most:7.1f}" for middle, most in pairs)
    print(f"{name:8} {figures} {found.early:6}")


def _many(wanted: Wanted) -> None:
    live = 64
    requests = signing_requests(live)
    print(f"\nmany revoked certificates: Locum {wanted.revoked}, OpenBao {wanted.bao_revoked}")
    ours_at = LocumPki(live, fronts=wanted.fronts, revoked=wanted.revoked)
    try:
        began = time.perf_counter()
        size = len(ours_at.crl())
        first = time.perf_counter() - began
        _, ours = ours_at.issue(requests, 8, 3_600)
        run = ours_at.ocsp_load(ours, wanted.seconds)
        _lists(ours_at, ours[:20], size, first, run)
        part = PartOf(ours_at)
        _fresh_row(part.name, freshness(part, ours[20:40]))
        print(f"         that part has {len(part.crl()) / 1e3:.0f} kB")
    finally:
        ours_at.close()
    theirs_at = OpenBaoPki()
    try:
        _, all_of_them = theirs_at.issue(
            signing_requests(wanted.bao_revoked + live), 32, 3_600, leased=False
        )
        theirs_at.end_all(all_of_them[live:], 8)
        first = theirs_at.rebuild()
        size = len(theirs_at.crl())
        theirs_at.publish_at_once()
        run = theirs_at.ocsp_load(all_of_them[:live], wanted.seconds)
        _lists(theirs_at, all_of_them[:20], size, first, run)
    finally:
        theirs_at.close()


def _lists(
    side: Side, live: Sequence[x509.Certificate], size: int, built: float, load: Run
) -> None:
    found = freshness(side, live)
    print(
        f"{side.name:8} CRL {size / 1e6:.2f} MB, built and fetched in {built * 1e3:.0f} ms; "
        f"OCSP {load.rate:.0f}/s at 8 clients, p50 {load.p50:.2f} ms, p99 {load.p99:.2f} ms; "
        f"{load.rss_mb:.0f} MB"
    )
    if load.wrong:
        print(f"         not as expected: {load.wrong} {load.said}")
    _fresh_head()
    _fresh_row(side.name, found)


def _against(target: str, measured: str, met: bool) -> None:
    print(f"  target: {target}: {measured}, {'met' if met else 'NOT met'}")


def _wanted() -> Wanted:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seconds", type=float, default=4.0)
    given.add_argument("--clients", default="1,8,32,128")
    given.add_argument("--open", type=int, default=1_000)
    given.add_argument("--closes", type=int, default=300)
    given.add_argument("--revoked", type=int, default=100_000)
    given.add_argument("--bao-revoked", type=int, default=10_000)
    given.add_argument("--fronts", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    given.add_argument("--only", default="issue,close,many")
    found = given.parse_args()
    return Wanted(
        found.seconds, tuple(int(one) for one in found.clients.split(",")), found.open,
        min(found.closes, found.open), found.revoked, found.bao_revoked, found.fronts,
        tuple(found.only.split(",")),
    )  # fmt: skip


def _model() -> str:
    with open("/proc/cpuinfo") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    return f"{len(names)} × {names[0]}, {time.strftime('%Y-%m-%d')}"


if __name__ == "__main__":
    main()
