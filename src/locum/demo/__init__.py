"""The demo: a story played for real, each step checked."""
