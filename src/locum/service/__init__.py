"""One function per verb: load, decide, commit the state and its entry together, then act."""
