"""A persistent shell in a container, over a terminal."""
