"""The words of the design as frozen values: no I/O, no clock, no randomness."""
