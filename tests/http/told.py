"""An estate whose people are told on a webhook and by mail."""

from __future__ import annotations


def estate(hook: str, closed: int) -> str:
    """The estate; `mailto:` for carol, a path of the webhook for each other."""
    people = "".join(
        f"  {name}: {{kind: human, owner: {name}@example.com, "
        f'notify: ["{to}"], primary: {{method: passkey-device-bound}}}}\n'
        for name, to in (
            ("alice", f"{hook}/alice"),
            ("bob", f"{hook}/bob"),
            ("carol", "mailto:carol@example.com"),
            ("dana", f"{hook}/dana"),
            ("erin", f"{hook}/erin"),
        )
    )
    return (
        "version: 1\n"
        "groups: {administrators: [alice], leads: [bob, carol], heads: [erin], security: [dana],"
        " askers: [alice]}\n"
        f"identities:\n{people}"
        "  service:\n"
        "    kind: workload\n"
        "    owner: team@example.com\n"
        f'    notify: ["{hook}/service"]\n'
        "    primary: {method: oidc-workload-token, authority: {audiences: [api]}}\n"
        "    fallbacks:\n"
        "      approved:\n"
        "        method: leased-token\n"
        "        causes: [outage]\n"
        f'        probe: {{tcp: "127.0.0.1:{closed}"}}\n'
        "        requesters: askers\n"
        "        approvals: {of: leads, need: 1, within: 30m,"
        " escalate: {after: 10m, to: heads}}\n"
        "        limits: {ttl: 5m}\n"
        "        review: {by: security, within: 24h}\n"
        "        owner: team@example.com\n"
        "        reason: tests\n"
        "        until: 2099-12-31\n"
    )
