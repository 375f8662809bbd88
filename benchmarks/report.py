"""What a measurement says, as a table for people and as JSON for scripts."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, Literal

Unit = Literal["s", "B", "messages"]

#: Column widths: the longest series name, and a number with its unit.
_NAME, _NUMBER = 40, 11


@dataclass(frozen=True, slots=True)
class Series:
    """Repeated measurements of one thing.

    Args:
        name: What was measured.
        values: One number a round.
        unit: Of every number.
    """

    name: str
    values: list[float]
    unit: Unit = "s"

    @property
    def median(self) -> float:
        """The middle of the values."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Claim:
    """A number that has a target.

    Args:
        what: The promise.
        value: What was measured.
        limit: The most it may be.
        unit: Of both; a ratio when absent.
    """

    what: str
    value: float
    limit: float
    unit: Unit | None = None

    @property
    def met(self) -> bool:
        """Whether the promise was kept."""
        return self.value <= self.limit

    def line(self) -> str:
        """Return the claim as one line of the table."""
        word = "met   " if self.met else "MISSED"
        value, limit = _quantity(self.value, self.unit), _quantity(self.limit, self.unit)
        return f"  {word} {self.what}: {value} (at most {limit})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One measurement: its series, interleaved in time, and what is claimed of them.

    Args:
        title: What was measured.
        base: The series that every other of its unit is divided by, or None.
        series: All series.
        claims: The numbers with targets.
        notes: Lines that say what a reader of the numbers must know.
    """

    title: str
    base: Series | None
    series: list[Series]
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the section as a table."""
        head = "".join(f"{word:>{_NUMBER}}" for word in ("median", "min", "max", "n", "ratio"))
        lines = [self.title, f"  {'':{_NAME}}{head}"]
        lines += [self._line(one) for one in self.series]
        lines += [claim.line() for claim in self.claims]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """Return the section as JSON values; seconds, bytes and counts are plain numbers."""
        return {
            "title": self.title,
            "base": self.base.name if self.base else None,
            "series": [
                {
                    "name": one.name,
                    "unit": one.unit,
                    "median": one.median,
                    "min": min(one.values),
                    "max": max(one.values),
                    "ratio": self._ratio(one),
                    "values": one.values,
                }
                for one in self.series
            ],
            "claims": [
                {
                    "what": claim.what,
                    "value": claim.value,
                    "limit": claim.limit,
                    "unit": claim.unit or "ratio",
                    "met": claim.met,
                }
                for claim in self.claims
            ],
            "notes": self.notes,
        }

    def _line(self, one: Series) -> str:
        numbers = [
            _quantity(number, one.unit) for number in (one.median, min(one.values), max(one.values))
        ]
        ratio = self._ratio(one)
        cells = [*numbers, str(len(one.values)), "" if ratio is None else f"{ratio:.2f}"]
        return f"  {one.name:{_NAME}}" + "".join(f"{cell:>{_NUMBER}}" for cell in cells)

    def _ratio(self, one: Series) -> float | None:
        if self.base is None or self.base.unit != one.unit:
            return None
        return one.median / self.base.median


def ratio(one: Series, base: Series) -> float:
    """Return how many times the median of `base` the median of `one` is."""
    return one.median / base.median


def _quantity(value: float, unit: Unit | None) -> str:
    if unit is None:
        return f"{value:.2f}x"
    if unit == "s":
        return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "B":
        return f"{value / 1e6:.1f} MB"
    return f"{value:.0f}"
