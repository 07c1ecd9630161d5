"""The bad days: killed, full, hung, sealed, skewed, restarted and doubled."""
