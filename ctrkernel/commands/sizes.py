"""Sizes as people type them in options: decimal units, as disks and networks count."""

from __future__ import annotations

import argparse
import re
from typing import Final

#: The step from one unit to the next.
_STEP: Final = 1000
_TYPED: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kKmMgGtT]?)[bB]?)")


def bytes_of(text: str) -> int:
    """Read ``300``, ``10kB``, ``1.5 MB`` or ``2G``; for argparse.

    Raises:
        argparse.ArgumentTypeError: It is no size.
    """
    match = _TYPED.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size, such as 300MB")
    return int(float(match[1]) * _STEP ** " kmgt".index(match[2].lower() or " "))
