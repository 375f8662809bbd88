"""Persistent shells in containers, for Jupyter, IPython and Python."""

from __future__ import annotations

__version__ = "0.1.0"
