"""Numbers as people type them behind an option; what is none is said in a person's words."""

from __future__ import annotations

import argparse

#: What fits into 64 bits, which the engines read.
_DIGITS = 18


def whole_number(text: str) -> int:
    """Read a whole number, 0 or more.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number, such as 10")
    return int(text)
