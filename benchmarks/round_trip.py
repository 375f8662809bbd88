"""How long a cell takes that does nothing."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import kernels
from interleave import interleave
from report import Claim, Section, Series, ratio

if TYPE_CHECKING:
    from client import Probe

#: bash_kernel takes part in every tenth round: it is a tenth as fast and not what is tuned.
PEER_EVERY = 10


def round_trip(running: kernels.Kernels, target: str, *, rounds: int) -> Section:
    """Run ``true`` in all kernels in turn; the clock stops at the reply and the idle status."""
    choices = [kernels.empty(), kernels.ctrkernel(target)]
    peer = kernels.bash_kernel()
    if peer is not None:
        choices.append(peer)
    replies: dict[str, list[float]] = {choice.name: [] for choice in choices}

    def measure(name: str, probe: Probe) -> float:
        run = probe.run("true")
        replies[name].append(run.replied)
        return run.seconds

    with contextlib.ExitStack() as stack:
        probes = {
            choice.name: stack.enter_context(running.started(choice)).probe for choice in choices
        }
        values = interleave(
            {name: partial(measure, name, probe) for name, probe in probes.items()},
            rounds=rounds,
            warm_up=max(10, rounds // 10),
            sparse={"bash_kernel": PEER_EVERY},
        )
    base = Series("empty", values["empty"])
    ours = Series("ctrkernel", values["ctrkernel"])
    others = [Series(peer.name, values[peer.name])] if peer is not None else []
    early = [
        Series(f"{name}, reply alone", replies[name][-rounds:]) for name in ("empty", "ctrkernel")
    ]
    return Section(
        title="`true`, request to reply and idle",
        base=base,
        series=[base, ours, *others, *early],
        claims=[Claim("ctrkernel / empty", ratio(ours, base), 1.3)],
        notes=[] if others else ["bash_kernel is not installed: no peer in this table"],
    )
