"""The estate as a graph: who and what gives whom a way in, solved for all at once."""
