"""What the fidelity tests share: cases as rows of tables, and the shells that they run in."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pytest

from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import CommandTimedOut, ShellExited
from ctrkernel.session.shell import ShellSession

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Seconds that a cell may take; what takes longer hangs.
HANG = 15.0

BASH = ("bash",)
ZSH = ("zsh",)
POSIX = ("dash", "ash")
ARRAYS = ("bash", "zsh")
ALL = ("bash", "dash", "ash", "zsh")

#: A shell's own line about a job.
JOB = r"\n?\[\d+\][^\n]*\n|zsh: suspended[^\n]*\n"

#: What a cell may print: exactly this, what a pattern finds, or anything.
Expected = str | re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Exit:
    """The shell ends with this status."""

    status: int


@dataclass(frozen=True, slots=True)
class Case:
    """Cells, and what each of them comes to.

    Attributes:
        name: What is tried.
        cells: Code, output, and the status, 0 where it is left out, None for any; or the code
            and how the shell ends.
        shells: The shells that have the feature.
        fresh: Whether the cells spoil the shell, so that nobody else may have it.
    """

    name: str
    cells: tuple[tuple[str, Expected] | tuple[str, Expected, int | None] | tuple[str, Exit], ...]
    shells: tuple[str, ...] = ALL
    fresh: bool = False


def case(
    name: str,
    *cells: tuple[str, Expected] | tuple[str, Expected, int | None] | tuple[str, Exit],
    only: tuple[str, ...] = ALL,
    fresh: bool = False,
) -> Case:
    """Write a row."""
    return Case(name, cells, only, fresh)


def said(text: str) -> re.Pattern[str]:
    """Expect output that contains `text`, a regular expression."""
    return re.compile(text, re.DOTALL)


def rows(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Run a test for each case and each shell that has the feature; arguments shell, case."""
    return pytest.mark.parametrize(
        ("shell", "case"),
        [
            pytest.param(shell, one, id=f"{shell}-{one.name}")
            for shell in ALL
            for one in cases
            if shell in one.shells
        ],
    )


@dataclass(eq=False)
class Shell:
    """A session, and what it said outside any cell."""

    session: ShellSession
    spoilt: bool = False
    late: list[str] = field(default_factory=list)

    def run(self, code: str, timeout: float = HANG) -> tuple[str, int]:
        """Run a cell; return its output and status."""
        try:
            result = self.session.run(code, timeout)
        except CommandTimedOut as hang:
            shown = hang.result.output[:2000] if hang.result is not None else ""
            pytest.fail(f"hangs: {code[:200]!r}; so far: {shown!r}")
        return result.output, result.exit_code

    def output(self, code: str) -> str:
        """Run a cell that succeeds; return its output."""
        output, status = self.run(code)
        assert status == 0, f"{code[:200]!r} printed {output[:2000]!r}"
        return output

    def ends(self, code: str, timeout: float = HANG) -> str:
        """Run a cell that ends the shell; return what the error says."""
        try:
            result = self.session.run(code, timeout)
        except ShellExited as gone:
            return str(gone)
        except CommandTimedOut:
            pytest.fail(f"hangs: {code[:200]!r}")
        pytest.fail(f"{code[:200]!r} should end the shell; status {result.exit_code}")

    def check(self, case: Case) -> None:
        """Run the cells of a case and then a cell that shows that the shell is whole."""
        self.check_cells(case)
        self.check_alive()

    def check_cells(self, case: Case) -> None:
        """Run the cells of a case."""
        for number, cell in enumerate(case.cells, 1):
            code, expected = cell[0], cell[1]
            if isinstance(expected, Exit):
                assert re.match(rf"exit status {expected.status}\b", self.ends(code))
                self.session.reopen()
                continue
            status = cell[2] if len(cell) > 2 else 0
            printed, ended = self.run(code)
            where = f"cell {number}, {code[:200]!r}"
            if isinstance(expected, re.Pattern):
                assert expected.search(printed), f"{where} printed {printed[:2000]!r}"
            elif expected is not None:
                assert printed == expected, where
            assert ended == (ended if status is None else status), f"{where} printed {printed!r}"

    def check_alive(self) -> None:
        """Assert that the next cell works, and that nothing of ours was printed before it."""
        printed, status = self.run("echo alive")
        # The shell tells of a job's end at its prompt, or before the next command's output.
        assert re.fullmatch(rf"({JOB})*alive\n", printed), printed
        assert status == 0
        assert re.fullmatch(rf"({JOB})*", "".join(self.late)), self.late
        self.late.clear()


class Shells:
    """Shells of every kind: a shared one of each, and fresh ones."""

    def __init__(self, debian: str, busybox: str) -> None:
        self._engine = find_engine(os.environ)
        self._where = {
            "bash": (debian, None),
            "dash": (debian, "dash"),
            "zsh": (debian, "zsh"),
            "ash": (busybox, None),
        }
        self._shared: dict[str, Shell] = {}
        self._closing = ExitStack()
        self._closer = ThreadPoolExecutor(2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()
        self._closer.shutdown()

    def open(self, name: str, container: str | None = None) -> Shell:
        """Start a shell of its own."""
        where, program = self._where[name]
        late: list[str] = []
        session = ShellSession(self._engine, container or where, shell=program, on_late=late.append)
        self._closing.callback(self.close, session)
        session.open()
        session.wait_ready()
        return Shell(session, late=late)

    def shared(self, name: str) -> Shell:
        """Return the shell that the cases share which leave it as it was."""
        shell = self._shared.get(name)
        if shell is None or shell.spoilt:
            shell = self._shared[name] = self.open(name)
        return shell

    def check(self, name: str, case: Case) -> None:
        """Run a case, in the shared shell first if it leaves that as it was.

        One that fails there is tried in a shell of its own: what an earlier case left behind, such
        as the late word of a job, is not its fault. The shared shell is given up.
        """
        if not case.fresh and self._passes_shared(name, case):
            return
        shell = self.open(name)
        shell.check(case)
        self.close(shell.session)

    def _passes_shared(self, name: str, case: Case) -> bool:
        shell = self.shared(name)
        shell.spoilt = True
        try:
            shell.check(case)
        except (AssertionError, pytest.fail.Exception):
            return False
        shell.spoilt = False
        return True

    def close(self, session: ShellSession) -> None:
        """End a shell, in the background."""
        self._closer.submit(session.close)
