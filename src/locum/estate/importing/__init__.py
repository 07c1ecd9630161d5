"""What is really there, read from the exports of others into an inventory."""
