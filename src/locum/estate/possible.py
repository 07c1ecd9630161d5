"""Values that fit their form and still cannot be: days, networks, URLs, ranges, orders of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from locum.estate.document import Document, Field
from locum.estate.parsing import duration, instant
from locum.estate.place import problem_at
from locum.estate.problem import Problem
from locum.model.constraint import normal_path

_NETWORK = "network:"
_WITHIN = timedelta(hours=1)
Fault = tuple[Field, str, str, str]


def impossible(document: Document) -> Iterator[Problem]:
    """Every value that cannot be; the document fits the schema."""
    for name, identity in document.value["identities"].items():
        place: Field = ("identities", name)
        faults = [*_identity(identity)]
        for key, path in identity.get("fallbacks", {}).items():
            faults += [_under(("fallbacks", key), fault) for fault in _path(path)]
        for way, rule, fact, remedy in faults:
            yield problem_at(document, (*place, *way), rule, fact, remedy)
    for section in ("found", "observed"):
        for name, one in document.value[section].items():
            for way, rule, fact, remedy in (*_days(one), *_conditions(one)):
                yield problem_at(document, (section, name, *way), rule, fact, remedy)


def _under(place: Field, fault: Fault) -> Fault:
    return (*place, *fault[0]), *fault[1:]


def _identity(identity: Any) -> Iterator[Fault]:
    if "proofing" in identity and identity["kind"] != "human":
        yield (
            ("proofing",),
            "value",
            "`proofing` is said of people; behind a machine stands its declared owner.",
            "Remove it.",
        )
    for at, url in enumerate(identity.get("notify", ())):
        if url.startswith(("http:", "https:")):
            yield from _url(("notify", at), url)
    primary = identity["primary"]
    yield from (_under(("primary",), fault) for fault in _conditions(primary))
    yield from (_under(("primary",), fault) for fault in _days(primary))
    yield from _authority(("primary", "authority"), primary.get("authority", {}))


def _path(path: Any) -> Iterator[Fault]:
    yield from _instant(("until",), path["until"])
    if "waiver" in path:
        yield from _instant(("waiver", "until"), path["waiver"]["until"])
    yield from _conditions(path)
    yield from _authority(("authority",), path.get("authority", {}))
    yield from _probe(path.get("probe", {}))
    target = path.get("target", {})
    if "webhook" in target.get("rotate", {}):
        yield from _url(("target", "rotate", "webhook"), target["rotate"]["webhook"])
    if "http" in target.get("check", {}):
        yield from _url(("target", "check", "http", "url"), target["check"]["http"]["url"])
    yield from _orders_of_time(path)


def _orders_of_time(path: Any) -> Iterator[Fault]:
    approvals = path.get("approvals", {})
    if "escalate" in approvals:
        within = duration(approvals["within"]) if "within" in approvals else _WITHIN
        if duration(approvals["escalate"]["after"]) >= within:
            yield (
                ("approvals", "escalate", "after"),
                "value",
                "The request lapses before the second group may approve.",
                "Set `after` below `approvals.within` (1h where it is left out).",
            )
    drill = path.get("drill", {})
    if "lead" in drill and duration(drill["lead"]) > duration(drill["every"]):
        yield (
            ("drill", "lead"),
            "value",
            "`lead` is longer than `every`, so a drill could always begin.",
            "Set `lead` to less than `every`.",
        )


def _instant(way: Field, text: str, example: str = "2027-06-30") -> Iterator[Fault]:
    try:
        instant(text)
    except (ValueError, OverflowError):
        fact = f"There is no such time as {text}."
        yield way, "value", fact, f"Write a day that exists, e.g. {example}."


def _days(seen: Any) -> Iterator[Fault]:
    """Days of the past, and the end of what was found, which may be that it never was or ends."""
    if "created" in seen:
        yield from _instant(("created",), seen["created"], "2024-05-01")
    for field in ("ends", "last_used", "last_drilled", "last_reviewed"):
        if seen.get(field, "never") != "never":
            yield from _instant((field,), seen[field], "2026-03-31, or `never`")


def _conditions(holder: Any) -> Iterator[Fault]:
    for at, condition in enumerate(holder.get("context", ())):
        if not condition.startswith(_NETWORK):
            continue
        try:
            ip_network(condition.removeprefix(_NETWORK))
        except ValueError:
            yield (
                ("context", at),
                "value",
                f"`{condition}` names no network, so it would never hold.",
                "Write the network's first address and its length, e.g. network:10.0.0.0/8.",
            )


def _probe(probe: Any) -> Iterator[Fault]:
    for kind in ("http", "oidc"):
        if kind in probe:
            yield from _url(("probe", kind), probe[kind])
    if "tcp" in probe:
        host, _, port = probe["tcp"].rpartition(":")
        if not 0 < int(port) < 65536:
            yield ("probe", "tcp"), "value", f"There is no port {port}.", "Use 1 to 65535."
        if host.startswith("[") and not _is_address(host.strip("[]")):
            yield (
                ("probe", "tcp"), "value", "There is no such IPv6 address.", "Mend the address.",
            )  # fmt: skip


def _url(way: Field, url: str) -> Iterator[Fault]:
    fact = _fault_of_url(url)
    if fact:
        yield way, "url", fact, "Write an HTTPS URL, e.g. https://login.example.com/healthz."


def _fault_of_url(url: str) -> str:
    """What is wrong with a URL; the URL itself is not shown, because it may hold a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "The URL cannot be read."
    if not parts.hostname or port == 0:
        return "The URL names no host, or port 0."
    if "@" in parts.netloc:
        return "The URL holds a user name or a password."
    if parts.fragment or "#" in url:
        return "The URL has a fragment, which is never sent."
    if parts.scheme != "https" and not _is_loopback(parts.hostname):
        return "Plain HTTP leaves this machine, where anybody on the way reads and answers it."
    return ""


def _is_address(text: str) -> bool:
    try:
        return ip_address(text) is not None
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _authority(way: Field, authority: Any) -> Iterator[Fault]:
    for tool, arguments in authority.get("tools", {}).items():
        for argument, constraint in arguments.items():
            yield from _constraint((*way, "tools", tool, argument), constraint)


def _constraint(way: Field, constraint: Any) -> Iterator[Fault]:
    [(kind, value)] = constraint.items()
    here = (*way, kind)
    if kind == "range" and value[0] > value[1]:
        yield here, "value", "The range holds no number.", "Put the lower one first."
    if kind == "path_prefix" and normal_path(value) is None:
        yield (
            here,
            "value",
            "No path lies below this one: it climbs, or hides a sign behind an escape.",
            "Write a plain absolute path, e.g. /reports.",
        )
    if kind in ("all", "any"):
        for at, part in enumerate(value):
            yield from _constraint((*here, at), part)
