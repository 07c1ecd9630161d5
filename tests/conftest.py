"""Every test may use the real servers of `tests/servers`."""

pytest_plugins = ["tests.servers.plugin"]
