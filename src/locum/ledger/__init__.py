"""Leaves, tiles, checkpoints, proofs, verification: the append-only, tamper-evident record."""
