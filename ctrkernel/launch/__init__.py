"""Containers that we make: from a plan to a shell in them, and their end."""
