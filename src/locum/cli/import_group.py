"""`locum import`: every source, named."""

from __future__ import annotations

from locum.cli import import_commands, import_more_commands, import_platform_commands

group = import_commands.group
group.command()(import_more_commands.keycloak)
group.command()(import_more_commands.entra)
group.command()(import_more_commands.postgresql)
group.command()(import_more_commands.vault)
group.command()(import_platform_commands.github)
group.command()(import_platform_commands.okta)
group.command()(import_platform_commands.bloodhound)
