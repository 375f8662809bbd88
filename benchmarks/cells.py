"""How long large cells take to get into the shell and run. No targets: the floor tells."""

from __future__ import annotations

import os
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import kernels
from client import BenchmarkError
from interleave import interleave
from payloads import LINE
from report import Section, Series

if TYPE_CHECKING:
    from client import Probe


def megabyte() -> str:
    """Return a cell of one million bytes: assignments, and the sum at the end."""
    statement = f"n=$((n + 1))  # {LINE}"
    count = 1_000_000 // (len(statement) + 1)
    head, tail = "n=0\n", f'\n[ "$n" = {count} ] && echo fine'
    body = "\n".join([statement] * count)
    return head + body + "\n" + "#" * (1_000_000 - len(head + body + tail) - 1) + tail


def heredoc() -> str:
    """Return a cell with a here-document of 3,000 lines."""
    lines = "\n".join(f"{number:04d} {LINE}" for number in range(3000))
    return f"cat <<'END' | sha256sum\n{lines}\nEND"


def long_line() -> str:
    """Return a cell of one line of 100,000 bytes."""
    frame = "printf %s '' | sha256sum"
    word = (LINE * 2000)[: 100_000 - len(frame)]
    return f"printf %s '{word}' | sha256sum"


CELLS = {"1 MB cell": megabyte, "3,000-line heredoc": heredoc, "100,000-byte line": long_line}


def cells(running: kernels.Kernels, target: str, *, rounds: int) -> list[Section]:
    """Run each large cell, and the same code read by a shell in a new ``docker exec -i``."""
    engine = os.environ.get("CTRKERNEL_ENGINE", "docker")
    argv = [engine, "exec", "-i", target, "sh", "-c", 'eval "$(cat)"']

    def read(code: str) -> str:
        done = subprocess.run(argv, input=code, capture_output=True, text=True, check=True)
        return done.stdout

    def floor(code: str) -> float:
        begin = time.perf_counter()
        read(code)
        return time.perf_counter() - begin

    def measure(probe: Probe, code: str, expected: str) -> float:
        run = probe.run(code)
        if run.text != expected:
            raise BenchmarkError(f"ctrkernel printed {run.text[:60]!r}, not {expected!r}")
        return run.seconds

    sections = []
    with running.started(kernels.ctrkernel(target)) as ctr:
        for name, make in CELLS.items():
            code = make()
            expected = read(code)
            values = interleave(
                {
                    "docker exec -i": partial(floor, code),
                    "ctrkernel": partial(measure, ctr.probe, code, expected),
                },
                rounds=rounds,
            )
            series = [Series(key, numbers) for key, numbers in values.items()]
            sections.append(Section(title=name, base=series[0], series=series))
    return sections
