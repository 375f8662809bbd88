"""How long a kernel takes to its first answer, and what it holds in memory then."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import kernels
import memory
from interleave import interleave
from report import Claim, Section, Series, ratio

if TYPE_CHECKING:
    from memory import Footprint

MEMORY_OVER_EMPTY = 15_000_000


def startup(running: kernels.Kernels, target: str, *, rounds: int) -> tuple[Section, Section]:
    """Start each kernel afresh in every round; return the section of time and that of memory."""
    held: dict[str, list[Footprint]] = defaultdict(list)
    offspring: dict[str, list[float]] = defaultdict(list)

    def measure(choice: kernels.KernelChoice) -> float:
        with running.started(choice) as start:
            held[choice.name].append(memory.footprint(start.pid))
            for name, child in memory.children(start.pid).items():
                offspring[name.rpartition("[")[0]].append(float(child.pss))
            return start.seconds

    choices = [kernels.ipython(), kernels.ctrkernel(target), kernels.empty()]
    values = interleave(
        {choice.name: partial(measure, choice) for choice in choices},
        rounds=rounds,
    )
    series = {name: Series(name, numbers) for name, numbers in values.items()}
    time = Section(
        title="start to the first answer",
        base=series["ipython"],
        series=list(series.values()),
        claims=[Claim("ctrkernel / ipython", ratio(series["ctrkernel"], series["ipython"]), 1.15)],
        notes=["ctrkernel's first answer is `true` in the container; ipython's is `1`"],
    )
    return time, _memory(held, offspring, rounds=rounds)


def _memory(
    held: dict[str, list[Footprint]], offspring: dict[str, list[float]], *, rounds: int
) -> Section:
    series: dict[tuple[str, str], Series] = {}
    for kind in ("rss", "pss", "uss"):
        for name in ("empty", "ctrkernel", "ipython"):
            numbers = [float(getattr(one, kind)) for one in held[name][-rounds:]]
            series[kind, name] = Series(f"{name}, {kind.upper()}", numbers, "B")
    claims = [
        Claim(
            f"ctrkernel's {kind.upper()} over empty's",
            series[kind, "ctrkernel"].median - series[kind, "empty"].median,
            MEMORY_OVER_EMPTY,
            "B",
        )
        for kind in ("rss", "pss", "uss")
    ]
    children = [
        Series(f"ctrkernel's child {name}, PSS", numbers[-rounds:], "B")
        for name, numbers in offspring.items()
    ]
    return Section(
        title="memory after the first cell",
        base=series["rss", "empty"],
        series=[*series.values(), *children],
        claims=claims,
    )
