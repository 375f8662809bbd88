"""Sizes as people write them."""

from __future__ import annotations

import re
from typing import Final

#: What a unit's letter stands for; units are decimal, as disks and networks have them.
_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
#: A size is written in the next unit from here on.
_STEP: Final = 1000.0


def parse_size(text: str) -> int | None:
    """Return the bytes that `text` names (``500k``, ``1MB``, ``2.5 GB``); None if it names none."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    return int(float(match[1]) * _UNITS[match[2].lower()])


def format_size(size: float) -> str:
    """Return `size` in bytes as a person reads it: ``999 B``, ``12.3 MB``."""
    if round(size) < _STEP:
        return f"{size:.0f} B"
    number, units = size / _STEP, iter(("kB", "MB", "GB", "TB"))
    unit = next(units)
    # Rounded first: 999.96 kB is 1.0 MB.
    while round(number, 1) >= _STEP and (following := next(units, None)) is not None:
        number, unit = number / _STEP, following
    return f"{number:.1f} {unit}"


def encoded_size(text: str) -> int:
    """Return the bytes of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
