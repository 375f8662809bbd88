"""What the magics cost in IPython: to load, for a cell, and for a cell in many containers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client import BenchmarkError
from interleave import interleave
from IPython.core.interactiveshell import InteractiveShell
from report import Claim, Section, Series, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that `%load_ext ctrkernel` may take above an empty extension, and a `%%ctr` cell above
#: the session's own round trip.
LOAD_OVER_EMPTY, CELL_OVER_RUN = 0.060, 0.002
#: Containers of the fleet, and how many times what xargs takes ours may take.
FLEET, FLEET_OVER_XARGS = 20, 1.5
#: Seconds for one process of a measurement.
PROCESS_TIMEOUT = 120.0
#: What runs in every container of the fleet.
COMMAND = "hostname"

_LOAD = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
begin = time.perf_counter()
shell.run_line_magic("load_ext", sys.argv[1])
print(time.perf_counter() - begin)
"""
_EMPTY = "def load_ipython_extension(shell):\n    pass\n"


def load_ext(folder: Path, *, rounds: int) -> Section:
    """Load the extension, and one that does nothing, each in a process of its own."""
    (folder / "empty_extension.py").write_text(_EMPTY, encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": str(folder), "IPYTHONDIR": str(folder / "ipython")}

    def load(name: str) -> float:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _LOAD, name],
            env=environ,
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=PROCESS_TIMEOUT,
        )
        return float(done.stdout.split()[-1])

    names = {"%load_ext of an empty one": "empty_extension", "%load_ext ctrkernel": "ctrkernel"}
    values = interleave({key: partial(load, name) for key, name in names.items()}, rounds=rounds)
    base, ours = (Series(key, values[key]) for key in names)
    claim = Claim("ctrkernel over empty", ours.median - base.median, LOAD_OVER_EMPTY, "s")
    return Section(
        title="`%load_ext`, in a fresh process each", base=base, series=[base, ours], claims=[claim]
    )


def magic_cell(target: str, *, rounds: int) -> Section:
    """Run ``true`` as a ``%%ctr`` cell, and by the session itself, in one process."""
    import ctrkernel  # noqa: PLC0415 - the other rows measure how long that takes

    with _ipython() as shell, ctrkernel.attach(target) as container:
        session = container.session()
        _run(shell, f"%ctr_attach {target}")

        def direct() -> float:
            begin = time.perf_counter()
            session.run("true")
            return time.perf_counter() - begin

        values = interleave(
            {
                "session.run('true')": direct,
                "a cell `%%ctr` with `true`": partial(_timed, shell, "%%ctr\ntrue"),
                "a cell `%ctr true`": partial(_timed, shell, "%ctr true"),
                "a Python cell `pass`": partial(_timed, shell, "pass"),
            },
            rounds=rounds,
            warm_up=max(10, rounds // 10),
        )
    series = [Series(name, numbers) for name, numbers in values.items()]
    over = series[1].median - series[0].median
    return Section(
        title="`true`, from Python and as a cell of IPython's",
        base=series[0],
        series=series,
        claims=[Claim("a %%ctr cell over session.run", over, CELL_OVER_RUN, "s")],
        notes=["`pass` is what IPython itself takes for a cell"],
    )


def fan_out(target: str, *, rounds: int) -> Section:
    """Run a command in twenty containers: by xargs, in new shells, and in shells that are there."""
    with _fleet(target) as names, _ipython() as shell:
        listed = ",".join(names)
        cell = f"%%ctr --on {listed}\n{COMMAND}"

        def xargs() -> float:
            begin = time.perf_counter()
            subprocess.run(
                ["xargs", "-P", str(FLEET), "-I{}", _engine(), "exec", "{}", COMMAND],
                input="\n".join(names),
                text=True,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=PROCESS_TIMEOUT,
            )
            return time.perf_counter() - begin

        def cold() -> float:
            seconds = _timed(shell, cell)
            for name in names:
                _run(shell, f"%ctr_detach {name}")
            return seconds

        def warm() -> float:
            _run(shell, cell)
            seconds = _timed(shell, cell)
            for name in names:
                _run(shell, f"%ctr_detach {name}")
            return seconds

        values = interleave(
            {
                f"xargs -P {FLEET} {_engine()} exec": xargs,
                "%%ctr --on, new shells": cold,
                "%%ctr --on, shells that are there": warm,
            },
            rounds=rounds,
        )
    base, new, there = (Series(name, numbers) for name, numbers in values.items())
    claims = [
        Claim("new shells / xargs", ratio(new, base), FLEET_OVER_XARGS),
        Claim("shells that are there / xargs", ratio(there, base), FLEET_OVER_XARGS),
    ]
    return Section(
        title=f"`{COMMAND}` in {FLEET} containers",
        base=base,
        series=[base, new, there],
        claims=claims,
    )


@contextlib.contextmanager
def _ipython() -> Iterator[Any]:
    """Give an IPython shell with the extension, which shows nothing."""
    shell = InteractiveShell.instance()  # type: ignore[no-untyped-call]
    with contextlib.redirect_stdout(Path(os.devnull).open("w", encoding="utf-8")):
        shell.run_line_magic("load_ext", "ctrkernel")
        try:
            yield shell
        finally:
            shell.run_line_magic("unload_ext", "ctrkernel")


def _timed(shell: Any, cell: str) -> float:
    begin = time.perf_counter()
    _run(shell, cell)
    return time.perf_counter() - begin


def _run(shell: Any, cell: str) -> None:
    result = shell.run_cell(cell, store_history=False)
    if not result.success:
        raise BenchmarkError(f"{cell[:60]!r}: {result.error_in_exec or result.error_before_exec}")


@contextlib.contextmanager
def _fleet(target: str) -> Iterator[list[str]]:
    """Start containers of the target's image; at the end they are removed."""
    image = _asked("inspect", "--format={{.Config.Image}}", target)
    names = [f"ctrkernel-bench-{os.getpid()}-{number}" for number in range(FLEET)]
    try:
        for name in names:
            _asked("run", "--detach", "--init", "--name", name, image, "sleep", "infinity")
        yield names
    finally:
        subprocess.run([_engine(), "rm", "--force", *names], capture_output=True, check=False)


def _asked(*words: str) -> str:
    done = subprocess.run([_engine(), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _engine() -> str:
    return os.environ.get("CTRKERNEL_ENGINE", "docker")
