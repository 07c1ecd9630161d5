"""What shows that a cause holds: probes of the primary, and the conditions of a caller."""
