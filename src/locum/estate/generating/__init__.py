"""Estates made up for tests and measurements, with faults that are known."""
