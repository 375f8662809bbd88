"""Colours and styles of a terminal's cell, as the sequence that sets them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyte.screens import Char

#: pyte's names, in the order of their numbers (ECMA-48, 8.3.117); it calls yellow brown.
_NAMES: Final = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_BASES: Final = ((30, 90), (40, 100))
#: Digits of a colour that has no name.
_HEX: Final = 6


@lru_cache(maxsize=4096)
def sgr(cell: Char) -> str:
    """Return the sequence that sets a cell's style, whatever was set before."""
    numbers = ["0"]
    styles = (
        (cell.bold, "1"),
        (cell.italics, "3"),
        (cell.underscore, "4"),
        (cell.blink, "5"),
        (cell.reverse, "7"),
        (cell.strikethrough, "9"),
    )
    numbers += [number for on, number in styles if on]
    for colour, (base, bright) in zip((cell.fg, cell.bg), _BASES, strict=True):
        numbers += _colour(colour, base, bright)
    return f"\x1b[{';'.join(numbers)}m"


def _colour(name: str, base: int, bright: int) -> list[str]:
    if name == "default":
        return []
    if name in _NAMES:
        return [str(base + _NAMES.index(name))]
    if name.startswith("b") and (plain := name.removeprefix("bright").removeprefix("b")):
        # pyte spells one of the bright ones "bfightmagenta".
        plain = plain.removeprefix("fight")
        if plain in _NAMES:
            return [str(bright + _NAMES.index(plain))]
    if len(name) == _HEX:
        red, green, blue = (int(name[start : start + 2], 16) for start in (0, 2, 4))
        return [str(base + 8), "2", str(red), str(green), str(blue)]
    return []
