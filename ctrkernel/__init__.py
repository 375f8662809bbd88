"""Persistent shells in containers, for Jupyter, IPython and Python."""
