"""How long the answer to a Tab takes, against the kernel's answer to a question without work."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import kernels
from client import BenchmarkError
from interleave import interleave
from report import Claim, Section, Series

if TYPE_CHECKING:
    from client import Probe

#: Seconds that the middle answer may take, and where git itself is run for it.
MEDIAN, MEDIAN_WITH_GIT = 0.030, 0.060
#: Seconds in which a shell must have come up to answer at all.
START_TIMEOUT = 30.0

#: What is typed, by what it asks for; the first has no work to do.
_TYPED = {
    "a comment: nothing": "# com",
    "a command": "ech",
    "a variable": "echo $HOM",
    "a path": "cat /etc/hostn",
    "a command after a cell": "ech",
    "git's subcommand (bash-completion)": "git che",
}


def completion(running: kernels.Kernels, target: str, *, rounds: int) -> Section:
    """Complete what is typed, in turn; the clock stops at the reply and the idle status."""
    with running.started(kernels.ctrkernel(target)) as started:
        probe = started.probe
        _warm(probe)
        values = interleave(
            {name: partial(_measure, probe, name) for name in _TYPED},
            rounds=rounds,
            warm_up=max(5, rounds // 10),
        )
    series = [Series(name, values[name]) for name in _TYPED]
    return Section(
        title="Tab, request to reply and idle",
        base=series[0],
        series=series,
        claims=[
            Claim(each.name, each.median, MEDIAN_WITH_GIT if "git" in each.name else MEDIAN, "s")
            for each in series[1:]
        ],
    )


def _measure(probe: Probe, name: str) -> float:
    if name.endswith("after a cell"):
        # The shell's names are asked anew.
        probe.run("true")
    return probe.complete(_TYPED[name])[0]


def _warm(probe: Probe) -> None:
    deadline = time.perf_counter() + START_TIMEOUT
    while not all(probe.complete(typed)[1] for typed in ("ech", "cat /etc/hostn")):
        if time.perf_counter() > deadline:
            raise BenchmarkError("the container's shell does not answer")
