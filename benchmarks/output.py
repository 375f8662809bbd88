"""How fast a cell's output reaches the client, whole."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import kernels
import memory
import psutil  # type: ignore[import-untyped,unused-ignore]
from client import BenchmarkError
from interleave import interleave
from payloads import PAYLOADS
from report import Claim, Section, Series, Unit, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from client import Probe, Run

#: Message sizes at which the ceiling is taken.
CEILING_SIZES = (65_536, 1_000_000)

SEQ_MESSAGES = 299
BULK_GROWTH = 32_000_000


def seq(running: kernels.Kernels, target: str, *, rounds: int) -> Section:
    """Deliver ``seq 1 1000000``: many short lines."""
    return _output(running, target, "seq", rounds=rounds, limit=1.0)


def bulk(running: kernels.Kernels, target: str, *, rounds: int) -> Section:
    """Deliver 200 MB."""
    return _output(running, target, "bulk", rounds=rounds, limit=1.2)


def _output(
    running: kernels.Kernels, target: str, name: str, *, rounds: int, limit: float
) -> Section:
    payload = PAYLOADS[name]
    size, digest = len(payload.text()), payload.digest()
    argv = [os.environ.get("CTRKERNEL_ENGINE", "docker"), "exec", "-t", target, *payload.argv]
    extra: dict[str, list[float]] = {"messages": [], "first": [], "cpu": [], "growth": []}

    def raw() -> float:
        begin = time.perf_counter()
        subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begin

    def check(run: Run, kernel: str) -> None:
        if (run.size, run.digest) != (size, digest):
            raise BenchmarkError(
                f"{kernel} delivered {run.size} bytes where {size} were due, or others: "
                f"it begins {run.text[:60]!r}"
            )

    def ours(probe: Probe, pid: int) -> float:
        held, worked = memory.reset_peak(pid), _cpu(pid)
        run = probe.run(payload.code)
        check(run, "ctrkernel")
        extra["growth"].append(float(memory.peak(pid) - held))
        extra["cpu"].append(_cpu(pid) - worked)
        extra["messages"].append(float(run.messages))
        extra["first"].append(run.first_output or run.seconds)
        return run.seconds

    def decoded(probe: Probe) -> float:
        run = probe.run(payload.code, decode=True)
        check(run, "ctrkernel")
        return run.seconds

    def ceiling(probe: Probe, message: int) -> float:
        run = probe.run(f"{name} {message}")
        check(run, "ceiling")
        return run.seconds

    with contextlib.ExitStack() as stack:
        ctr = stack.enter_context(running.started(kernels.ctrkernel(target)))
        top = stack.enter_context(running.started(kernels.ceiling()))
        measures: dict[str, Callable[[], float]] = {
            "docker exec -t > /dev/null": raw,
            "ctrkernel": partial(ours, ctr.probe, ctr.pid),
            "ctrkernel, decoded in the clock": partial(decoded, ctr.probe),
        }
        for message in CEILING_SIZES:
            measures[f"ceiling, {message // 1000} kB messages"] = partial(
                ceiling, top.probe, message
            )
        values = interleave(measures, rounds=rounds)
    series = {key: Series(key, numbers) for key, numbers in values.items()}

    def counted(key: str, what: str, unit: Unit) -> Series:
        return Series(f"ctrkernel, {what}", extra[key][-rounds:], unit)

    messages = counted("messages", "stream messages", "messages")
    growth = counted("growth", "memory growth", "B")
    base, subject = series["docker exec -t > /dev/null"], series["ctrkernel"]
    claims = [Claim("ctrkernel / docker exec -t", ratio(subject, base), limit)]
    if name == "seq":
        claims.append(Claim("most messages", max(messages.values), SEQ_MESSAGES, "messages"))
    else:
        claims.append(Claim("most growth", max(growth.values), BULK_GROWTH, "B"))
    return Section(
        title=f"{size / 1e6:.1f} MB: `{payload.code}`",
        base=base,
        series=[
            *series.values(),
            counted("first", "first output", "s"),
            counted("cpu", "kernel's processor time", "s"),
            messages,
            growth,
        ],
        claims=claims,
        notes=["every byte of every run was delivered: size and SHA-256 agree"],
    )


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
