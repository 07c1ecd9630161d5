"""What a grant yields, and how it dies: secrets, leased tokens, database roles."""
