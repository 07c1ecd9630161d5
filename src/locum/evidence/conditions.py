"""Conditions: which of those that a path demands are not shown to hold for a caller.

A network condition, `network:10.0.0.0/8`, is decided by the address that the request came from and
by nothing else: nobody can vouch for it. Every other condition holds only where an administrator
vouched for it when inviting the caller's key. What cannot be read is missing. Source: law 7.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

NETWORK = "network:"


def missing_conditions(
    required: frozenset[str], vouched: frozenset[str], source_ip: str
) -> tuple[str, ...]:
    """Name the conditions that are not shown to hold, ordered.

    Args:
        required: what the path demands.
        vouched: what an administrator vouched for when inviting the caller's key.
        source_ip: the address that the request came from.
    """
    return tuple(
        condition
        for condition in sorted(required)
        if not (
            _comes_from(condition.removeprefix(NETWORK), source_ip)
            if condition.startswith(NETWORK)
            else condition in vouched
        )
    )


def _comes_from(network: str, source_ip: str) -> bool:
    try:
        wanted, source = ip_network(network), ip_address(source_ip)
    except ValueError:
        return False
    # A socket that listens on both families shows an IPv4 caller as ::ffff:a.b.c.d.
    if isinstance(source, IPv6Address) and source.ipv4_mapped is not None:
        source = source.ipv4_mapped
    return source in wanted
