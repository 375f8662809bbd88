"""Sixel pictures (DEC VT330/VT340 Programmer Reference Manual, chapter 14) as PNG."""

from __future__ import annotations

import colorsys
import re
from typing import Final

from ctrkernel.output.png import palette_png

#: Most pixels that a picture may have on a side.
SIDE_LIMIT: Final = 4096
#: Most that it may have in all.
AREA_LIMIT: Final = 4_000_000
#: Most that it may have us set, each as often as it is drawn over.
WORK_LIMIT: Final = 60_000_000
#: A palette of a PNG has 256 colours; the first is what was not drawn.
_COLOURS: Final = 255

_TOKEN: Final = re.compile(r'#([\d;]*)|!(\d*)([?-~])|([?-~]+)|([$-])|"([\d;]*)')
#: The VT340's first sixteen colours, in percent.
_VT340: Final = (
    (0, 0, 0), (20, 20, 80), (80, 13, 13), (20, 80, 20), (80, 20, 80), (20, 80, 80),
    (80, 80, 20), (53, 53, 53), (26, 26, 26), (33, 33, 60), (60, 26, 26), (33, 60, 33),
    (60, 33, 60), (33, 60, 60), (60, 60, 33), (80, 80, 80),
)  # fmt: skip
_HLS, _RGB = 1, 2
#: Fields of a colour that is defined, and of raster attributes with a size.
_DEFINITION, _RASTER = 5, 4
#: Rows that one sixel draws.
_BAND: Final = 6


class SixelError(ValueError):
    """It is no picture, or one that is too large."""


def sixel_png(body: str) -> bytes:
    """Return the picture in a device control string, less its ends, as a PNG.

    Args:
        body: ``P1;P2;P3q`` and the data.

    Raises:
        SixelError: It has no pixels, or too many.
    """
    parameters, _, data = body.partition("q")
    canvas = _Canvas(transparent=_numbers(parameters)[1:2] == [1])
    for colour, count, repeated, plain, move, raster in _TOKEN.findall(data):
        if plain:
            canvas.draw_all(plain)
        elif repeated:
            canvas.draw(repeated, int(count[:6] or 1) or 1)
        elif colour:
            canvas.colour(_numbers(colour))
        elif raster:
            canvas.raster(_numbers(raster))
        elif move == "$":
            canvas.x = 0
        elif move == "-":
            canvas.next_band()
    return canvas.png()


class _Canvas:
    """What is drawn until now: rows of numbers of colours, 0 for none."""

    def __init__(self, *, transparent: bool) -> None:
        self._transparent = transparent
        self._rows: list[bytearray] = []
        self._registers: dict[int, int] = {}
        self._palette: list[tuple[int, int, int]] = [(0, 0, 0)]
        self._values: dict[int, tuple[int, int, int]] = {
            number: _percent(*colour) for number, colour in enumerate(_VT340)
        }
        self._register = 0
        self._width = self._height = 0
        self._work = 0
        self.x = self._y = 0

    def raster(self, numbers: list[int]) -> None:
        """Take the picture's size, if it is told."""
        if len(numbers) >= _RASTER and not self._rows:
            self._width, self._height = numbers[2], numbers[3]
            self._check(self._width, self._height)

    def colour(self, numbers: list[int]) -> None:
        """Choose a colour, and define it where that is asked for."""
        self._register = min(numbers[0], 1 << 16) if numbers else 0
        if len(numbers) < _DEFINITION:
            return
        kind, first, second, third = numbers[1:5]
        if kind == _RGB:
            value = _percent(first, second, third)
        elif kind == _HLS:
            # Blue is at 0 degrees; for colorsys that is red.
            hue = ((first + 240) % 360) / 360
            red, green, blue = colorsys.hls_to_rgb(
                hue, min(second, 100) / 100, min(third, 100) / 100
            )
            value = round(red * 255), round(green * 255), round(blue * 255)
        else:
            return
        if self._values.get(self._register) != value:
            self._values[self._register] = value
            # What was drawn in it keeps its colour.
            self._registers.pop(self._register, None)

    def draw_all(self, sixels: str) -> None:
        """Draw sixels one after another; equal ones at once."""
        start = 0
        while start < len(sixels):
            end, first = start + 1, sixels[start]
            while end < len(sixels) and sixels[end] == first:
                end += 1
            self.draw(first, end - start)
            start = end

    def draw(self, sixel: str, count: int) -> None:
        """Draw a sixel `count` times."""
        bits = ord(sixel) - ord("?")
        start, end = self.x, self.x + count
        self.x = end
        self._check(end, self._y + bits.bit_length())
        if not bits:
            return
        self._work += count * bits.bit_count() + 20
        if self._work > WORK_LIMIT:
            raise SixelError("too much to draw")
        pixels = bytes((self._number(),)) * count
        while len(self._rows) < self._y + bits.bit_length():
            self._rows.append(bytearray())
        for bit in range(bits.bit_length()):
            if bits >> bit & 1:
                row = self._rows[self._y + bit]
                if len(row) < start:
                    row.extend(bytes(start - len(row)))
                row[start:end] = pixels

    def next_band(self) -> None:
        """Go to the beginning of the next six rows."""
        self.x = 0
        self._y += _BAND
        self._check(0, self._y)

    def png(self) -> bytes:
        """Return the picture."""
        width = max([self._width, *map(len, self._rows)])
        height = max(self._height, len(self._rows))
        if not width or not height:
            raise SixelError("it is empty")
        self._check(width, height)
        rows = [bytes(row.ljust(width, b"\0")) for row in self._rows]
        rows += [bytes(width)] * (height - len(rows))
        if not self._transparent:
            # What was not drawn has the colour of register 0.
            self._palette[0] = self._values[0]
        return palette_png(rows, self._palette, transparent=self._transparent)

    def _number(self) -> int:
        """Return the palette's number for the present colour."""
        number = self._registers.get(self._register)
        if number is None:
            value = self._values.get(self._register, (0, 0, 0))
            if value in self._palette[1:]:
                number = self._palette.index(value, 1)
            elif len(self._palette) <= _COLOURS:
                self._palette.append(value)
                number = len(self._palette) - 1
            else:
                number = min(
                    range(1, _COLOURS + 1), key=lambda each: _distance(self._palette[each], value)
                )
            self._registers[self._register] = number
        return number

    @staticmethod
    def _check(width: int, height: int) -> None:
        if width > SIDE_LIMIT or height > SIDE_LIMIT or width * height > AREA_LIMIT:
            raise SixelError(f"it has {width} x {height} pixels")


def _numbers(text: str) -> list[int]:
    return [int(number[:6] or 0) for number in text.split(";")]


def _percent(red: int, green: int, blue: int) -> tuple[int, int, int]:
    red, green, blue = (round(min(each, 100) * 2.55) for each in (red, green, blue))
    return red, green, blue


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
