"""Numbers of bytes as people write and read them: decimal units, as disks and networks count."""

from __future__ import annotations

import argparse
import re
from typing import Final

UNITS: Final = ("B", "kB", "MB", "GB", "TB")
#: The step from one unit to the next.
STEP: Final = 1000
_TYPED: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kKmMgGtT]?)[bB]?)")


def size_of(count: float) -> str:
    """Return a number of bytes in the largest decimal unit that leaves a whole part."""
    for unit in UNITS[:-1]:
        if count < STEP:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= STEP
    return f"{count:.1f} {UNITS[-1]}"


def bytes_of(text: str) -> int:
    """Read ``300``, ``10kB``, ``1.5 MB`` or ``2G``; for argparse.

    Raises:
        argparse.ArgumentTypeError: It is no size.
    """
    match = _TYPED.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size, such as 300MB")
    return int(float(match[1]) * STEP ** " kmgt".index(match[2].lower() or " "))
