"""The HTTP face: it reads a call, calls one verb, and answers."""
