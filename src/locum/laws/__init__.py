"""The seven laws, the containment proof and the life cycle. Pure."""
