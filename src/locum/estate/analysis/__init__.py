"""What is wrong with the whole estate, why, and what would mend it."""
