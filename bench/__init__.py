"""Benchmarks: figures that the docs quote, measured beside OpenBao in the same run."""
