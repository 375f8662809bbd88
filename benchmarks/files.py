"""Files in and out, against the real ``docker cp`` on the same content, in turn."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from interleave import interleave
from memory import peak, reset_peak
from report import Claim, Section, Series, ratio
from stopwatch import timed

from ctrkernel.engine.engine import find_engine
from ctrkernel.transfer.get import get
from ctrkernel.transfer.options import Options
from ctrkernel.transfer.put import put

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

LARGE = 1_000_000_000
MANY, SMALL = 10_000, 2_000
MEMORY_OVER_IDLE = 40_000_000
THERE = "/tmp/ctrkernel-bench"


def files(target: str, *, rounds: int) -> list[Section]:
    """Copy one large file and many small ones, each way, and the small ones again."""
    engine = find_engine(os.environ)
    info = engine.inspect(target)
    with tempfile.TemporaryDirectory(prefix="ctrkernel-bench-") as made:
        here = Path(made)
        _make(here)
        try:
            return [
                *_both_ways(engine, info, here, "large", limits=(1.05, 1.05), rounds=rounds),
                *_both_ways(engine, info, here, "small", limits=(0.8, 1.0), rounds=rounds),
                _update(engine, info, here, rounds=rounds),
            ]
        finally:
            _sh(engine, info, f"rm -rf {THERE}")


def _both_ways(
    engine: Engine,
    info: ContainerInfo,
    here: Path,
    what: str,
    *,
    limits: tuple[float, float],
    rounds: int,
) -> list[Section]:
    source, there, back = str(here / what), f"{THERE}/{what}", str(here / "back")
    peak_in, peak_out = _Peak(), _Peak()

    def real(origin: str, destination: str) -> None:
        subprocess.run(engine.command("cp", origin, destination), check=True, capture_output=True)

    def ours_in() -> None:
        peak_in.during(lambda: put(engine, info, [source], there, base="/", home=None))

    def ours_out() -> None:
        peak_out.during(lambda: get(engine, info, [there], back, base="/", home=None))

    def clean() -> None:
        _sh(engine, info, f"rm -rf {there}; mkdir -p {THERE}")

    def gone() -> None:
        shutil.rmtree(back, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            Path(back).unlink()

    went = interleave(
        {
            "ctrkernel put": lambda: timed(ours_in, before=clean),
            "docker cp in": lambda: timed(lambda: real(source, f"{info.id}:{there}"), before=clean),
        },
        rounds=rounds,
    )
    came = interleave(
        {
            "ctrkernel get": lambda: timed(ours_out, before=gone),
            "docker cp out": lambda: timed(lambda: real(f"{info.id}:{there}", back), before=gone),
        },
        rounds=rounds,
    )
    gone()
    sections = [_section(what, "in", went, limits[0]), _section(what, "out", came, limits[1])]
    sections[0].claims.append(peak_in.claim(what, "in"))
    sections[1].claims.append(peak_out.claim(what, "out"))
    return sections


def _sh(engine: Engine, info: ContainerInfo, script: str) -> None:
    subprocess.run(engine.exec_argv(info.id, ["sh", "-c", script]), check=True)


def _make(here: Path) -> None:
    with (here / "large").open("wb") as file:
        for _ in range(LARGE // 1_000_000):
            file.write(os.urandom(1_000_000))
    for number in range(MANY):
        folder = here / f"small/{number % 50}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(number)).write_bytes(os.urandom(SMALL))


def _section(what: str, way: str, values: dict[str, list[float]], limit: float) -> Section:
    ours, real = (Series(name, numbers) for name, numbers in values.items())
    return Section(
        title=f"{'1 GB in one file' if what == 'large' else '10,000 files of 2 kB'}, {way}",
        base=real,
        series=[real, ours],
        claims=[Claim(f"{ours.name} / {real.name}", ratio(ours, real), limit)],
    )


def _update(engine: Engine, info: ContainerInfo, here: Path, *, rounds: int) -> Section:
    def update() -> None:
        sources, there = [f"{here}/small/."], f"{THERE}/again"
        options = Options(parents=True, update=True)
        put(engine, info, sources, there, base="/", home=None, options=options)

    first, again = Series("first", []), Series("unchanged", [])
    for _ in range(rounds):
        _sh(engine, info, f"rm -rf {THERE}/again")
        first.values.append(timed(update))
        again.values.append(timed(update))
    return Section(
        title="--update of 10,000 files",
        base=first,
        series=[first, again],
        claims=[Claim("unchanged / first", ratio(again, first), 0.2)],
    )


class _Peak:
    """The most memory that this process held while it copied, beyond what it held before."""

    def __init__(self) -> None:
        self.over_idle = 0.0

    def during(self, work: Callable[[], object]) -> None:
        idle = reset_peak(os.getpid())
        work()
        self.over_idle = max(self.over_idle, peak(os.getpid()) - idle)

    def claim(self, what: str, way: str) -> Claim:
        return Claim(f"memory over idle, {what}, {way}", self.over_idle, MEMORY_OVER_IDLE, "B")
