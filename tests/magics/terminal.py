"""IPython in a terminal, as a person uses it: typed into, and read."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Seconds for IPython to start on a busy machine, and for a cell that has nothing to wait for.
START_TIMEOUT, CELL_TIMEOUT = 30.0, 15.0
#: Seconds for what one Tab offers, and how often it is pressed.
TAB_TIMEOUT, TABS = 3.0, 10
#: Of the terminal, wide enough for an error on one line.
ROWS, COLUMNS = 50, 250
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]|\r")


class Terminal:
    """One IPython in a terminal of its own.

    Args:
        folder: Where it runs; its profile is kept there too.
        simple: Without prompt_toolkit, so that nothing but the text comes.
        environ: Variables on top of this process's own.
    """

    def __init__(self, folder: Path, *, simple: bool = True, **environ: str) -> None:
        (folder / "profile").mkdir(exist_ok=True)
        arguments = ["-m", "IPython", "--no-banner", "--no-confirm-exit", "--colors=NoColor"]
        arguments += [f"--ipython-dir={folder / 'profile'}", "--HistoryManager.enabled=False"]
        self.child = pexpect.spawn(
            sys.executable,
            arguments + ["--simple-prompt"] * simple,
            encoding="utf-8",
            cwd=str(folder),
            dimensions=(ROWS, COLUMNS),
            env={**os.environ, "PAGER": "cat", **environ},
        )
        self.child.delaybeforesend = None
        self._number = 1
        #: What ends the prompt's number: prompt_toolkit moves the cursor in place of a blank.
        self._behind = "]: " if simple else "]:"
        self.child.expect_exact(f"In [1{self._behind}", timeout=START_TIMEOUT)

    @property
    def pid(self) -> int:
        """IPython's process."""
        pid: int = self.child.pid
        return pid

    def run(self, code: str, *, timeout: float = CELL_TIMEOUT) -> str:
        """Run a cell to its end and return what showed below it."""
        self.submit(code)
        return self.finish(timeout=timeout)

    def submit(self, code: str) -> None:
        """Type a cell, and do not wait."""
        cell = code.startswith("%%") or "\n" in code
        for line in code.split("\n"):
            self.child.send(f"{line}\r")
            self.child.expect_exact(line, timeout=CELL_TIMEOUT)
            if cell:
                self.child.expect_exact("...: ", timeout=CELL_TIMEOUT)
        if code.startswith("%%"):
            # What ends a cell magic is a blank line of the cell, and one more.
            self.child.sendline("")
            self.child.expect_exact("...: ", timeout=CELL_TIMEOUT)
        if cell:
            self.child.sendline("")

    def finish(self, *, timeout: float = CELL_TIMEOUT) -> str:
        """Wait for the next prompt and return what came before it."""
        self._number += 1
        self.child.expect_exact(f"In [{self._number}{self._behind}", timeout=timeout)
        return plain(self.child.before or "")

    def wait_for(self, text: str, *, timeout: float = CELL_TIMEOUT) -> None:
        """Wait until the running cell shows `text`."""
        self.child.expect_exact(text, timeout=timeout)

    def press_tab_until(self, text: str) -> None:
        """Press Tab until `text` shows: a first answer may be empty, for it waits a second."""
        for _ in range(TABS):
            self.child.send("\t")
            if self.child.expect_exact([text, pexpect.TIMEOUT], timeout=TAB_TIMEOUT) == 0:
                return
        raise AssertionError(f"{TABS} times Tab did not show {text}")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.child.sendintr()

    def end(self) -> None:
        """End it, if it still runs."""
        self.child.close(force=True)


def plain(text: str) -> str:
    """Return what a person reads: control codes and outer blank lines taken off."""
    return _CONTROL.sub("", text).strip("\n ")


@contextmanager
def ipython(folder: Path, *, simple: bool = True, **environ: str) -> Iterator[Terminal]:
    """Start IPython with the extension loaded; at the end it goes."""
    terminal = Terminal(folder, simple=simple, **environ)
    try:
        terminal.run("%load_ext ctrkernel")
        yield terminal
    finally:
        terminal.end()


def gone(pid: int, *, timeout: float = CELL_TIMEOUT) -> bool:
    """Whether a process ends in time; a zombie has ended."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - proc is no file to be kept
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
