"""What comes in and goes out: so far, notices to people."""
