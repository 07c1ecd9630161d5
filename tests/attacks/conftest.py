"""The world of the HTTP tests, one for each module."""

from tests.http.conftest import world

__all__ = ["world"]
