"""Measure several things in turn, so that whatever else the machine does falls on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def interleave(
    measures: Mapping[str, Callable[[], float]],
    *,
    rounds: int,
    warm_up: int = 1,
    sparse: Mapping[str, int] | None = None,
) -> dict[str, list[float]]:
    """Call every measure once a round, each round beginning one further on.

    Args:
        measures: What to measure, by name; each returns one number.
        rounds: How many rounds count.
        warm_up: How many rounds before them do not.
        sparse: Names that take part in every n-th round only, because they are slow.

    Returns:
        The numbers, by name.
    """
    names = list(measures)
    values: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-warm_up, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            if turn % (sparse or {}).get(name, 1):
                continue
            value = measures[name]()
            if turn >= 0:
                values[name].append(value)
    return values
