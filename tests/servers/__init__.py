"""Real servers for the tests, and a record of every secret that a run used."""
