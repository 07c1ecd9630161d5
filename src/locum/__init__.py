"""Locum: the authority for fallback authentication."""

__version__ = "0.1.0"
