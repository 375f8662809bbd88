"""Record sessions of real shells, for tests/protocol/test_golden.py to play again.

``python tests/protocol/golden/record.py DEBIAN BUSYBOX`` with the names of two running containers:
one with bash, dash and zsh, one with busybox alone. Each recording is compared with what the cells
below are expected to do before it is written. It is to be made again when the words change that a
dialect types, as far as a verbose shell repeats them.

Names of the cells' containers, their processes and their versions do not matter, so nothing but
the bytes is stored: what the terminal gave, in the pieces in which it came, and where a cell was
submitted between them.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ctrkernel.engine.engine import find_engine
from ctrkernel.protocol.conversation import Conversation, Done, Output, Ready, Type
from ctrkernel.session.launcher import environment, launches
from ctrkernel.session.transport import PtyTransport

if TYPE_CHECKING:
    from ctrkernel.protocol.conversation import Happening

#: Fixed, so that a recording that is made again differs only where the shell does.
NONCE = "5e551011f00dcafe"
#: Seconds that a cell, or the start, may take.
TIMEOUT = 20.0
#: Seconds in which nothing more comes after a cell.
SILENCE = 0.15

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Cell:
    """One cell and what is expected of it.

    Attributes:
        code: What is submitted.
        output: What it writes.
        status: What it ends with.
        cwd: Where it ends.
        late: What is written outside of any cell, after this one was submitted.
    """

    code: str
    output: str = ""
    status: int = 0
    cwd: str = "/tmp"
    late: str = ""


@dataclass(frozen=True)
class Scene:
    """One recording: a shell, started as ``CTRKERNEL_SHELL`` would have it, and its cells."""

    name: str
    shell: str | None
    cells: tuple[Cell, ...]
    busybox: bool = False


#: What every shell of the family does alike.
COMMON = (
    Cell("cd /tmp"),
    Cell("printf 'no newline'", "no newline"),
    Cell("printf 'a\\r\\nb\\n\\n\\377\\n'", "a\r\nb\n\n\udcff\n"),
    Cell("# a comment"),
    Cell(""),
    Cell("x='a b'\nf() { echo \"$x,$1\"; return 3; }\nf 1\t2", "a b,1\n", 3),
    Cell("echo $?", "3\n"),
    Cell("echo 'größe 日本' | cat; (exit 9)", "größe 日本\n", 9),
    Cell('read -r line <<EOF\nhere $x\nEOF\necho "$line"', "here a b\n"),
    Cell("cat /dev/null; echo to stderr >&2", "to stderr\n"),
    Cell(
        "printf '\\033]133;D;0\\007\\033[31mred\\033[0m\\n'", "\x1b]133;D;0\x07\x1b[31mred\x1b[0m\n"
    ),
    Cell("mkdir -p '/tmp/a;b größe'; cd '/tmp/a;b größe'", cwd="/tmp/a;b größe"),
    Cell("cd /tmp; rmdir '/tmp/a;b größe'"),
    Cell("( (sleep 0.05; printf late) & )", late="late"),
    Cell("( (sleep 0.3; echo late) & )"),
    Cell("sleep 0.6; echo mine", "late\nmine\n"),
    # The prompt that the cell asked for is shown once, before the next cell brings ours back.
    Cell("PS1='$ ' PS2='> '"),
    Cell("echo still here", "still here\n"),
)
#: What shells do alike that leave lines to the terminal; busybox edits them where there is echo.
ECHO = (Cell("stty echo onlcr"), Cell("echo quiet again", "quiet again\n"))
#: What shells do alike that do not repeat the lines of an ``eval``.
VERBOSE = (Cell("set -v"), Cell("echo verbose", "verbose\n"), Cell("set +v"))

SCENES = (
    Scene(
        "bash",
        None,
        (
            *COMMON,
            *ECHO,
            Cell("set -v"),
            Cell("echo verbose", "echo verbose\nverbose\n"),
            Cell("set +v", "set +v\n"),
            Cell("echo 'open", "bash: unexpected EOF while looking for matching `''\n", 2),
            Cell("fi", "bash: syntax error near unexpected token `fi'\n", 2),
            Cell("true | false | (exit 3); echo ${PIPESTATUS[@]}", "0 1 3\n"),
            Cell("false | true"),
            Cell("echo ${PIPESTATUS[@]}", "1 0\n"),
            Cell("nosuch-command\necho next", "bash: nosuch-command: command not found\nnext\n"),
            Cell("set -x"),
            Cell("echo traced", "++ echo traced\ntraced\n"),
            Cell("set +x", "++ set +x\n"),
            Cell("trap 'echo debug' DEBUG"),
            Cell("echo one", "debug\none\n"),
            Cell("trap - DEBUG", "debug\n"),
            Cell("set -u; echo $nosuch; echo not reached", "bash: nosuch: unbound variable\n", 1),
            Cell("set +u; kill -INT $$; sleep 5", "\n", 130),
            Cell("shopt -s extglob\necho +(x)", "+(x)\n"),
        ),
    ),
    Scene(
        "dash",
        "dash",
        (
            *COMMON,
            *ECHO,
            *VERBOSE,
            Cell("echo 'open", "dash: 2: eval: Syntax error: Unterminated quoted string\n", 2),
            Cell("fi", 'dash: 1: eval: Syntax error: "fi" unexpected\n', 2),
            Cell("nosuch-command\necho next", "dash: 1: eval: nosuch-command: not found\nnext\n"),
            Cell("set -x"),
            Cell("echo traced", "+ echo traced\ntraced\n"),
            Cell("set +x", "+ set +x\n"),
            Cell(
                "set -u; echo $nosuch; echo not reached",
                "dash: 1: eval: nosuch: parameter not set\n",
                2,
            ),
            Cell("set +u; echo back", "back\n"),
        ),
    ),
    Scene(
        "ash",
        None,
        (
            *COMMON,
            *VERBOSE,
            Cell("echo 'open", "sh: eval: syntax error: unterminated quoted string\n", 2),
            Cell("fi", 'sh: eval: syntax error: unexpected "fi"\n', 2),
            Cell("nosuch-command\necho next", "sh: eval: nosuch-command: not found\nnext\n"),
            Cell("set -x"),
            Cell("echo traced", "+ echo traced\ntraced\n"),
            Cell("set +x", "+ set +x\n"),
            Cell(
                "set -u; echo $nosuch; echo not reached", "sh: eval: nosuch: parameter not set\n", 2
            ),
            Cell("set +u; echo back", "back\n"),
        ),
        busybox=True,
    ),
    Scene(
        "zsh",
        "zsh",
        (
            *COMMON,
            *ECHO,
            Cell("set -v"),
            Cell("echo verbose", "echo verbose\nverbose\n"),
            Cell("set +v", "set +v\n"),
            Cell("echo 'open", "zsh: unmatched '\n", 1),
            Cell("fi", "zsh: parse error near `fi'\n", 1),
            Cell("false | true; echo $pipestatus", "1 0\n"),
            Cell("nosuch-command\necho next", "zsh: command not found: nosuch-command\nnext\n"),
            # Else the trace counts the lines that were typed since the start.
            Cell("PS4='+ '; set -x"),
            Cell("echo traced", "+ echo traced\ntraced\n"),
            Cell("set +x", "+ set +x\n"),
            Cell("set -u; echo $nosuch; echo not reached", "zsh: nosuch: parameter not set\n", 1),
            Cell("set +u; echo back", "back\n"),
        ),
    ),
)


class Recorder:
    """Speaks to one shell and keeps what it says."""

    def __init__(self, target: str, shell: str | None) -> None:
        engine = find_engine(os.environ)
        argv = engine.exec_argv(
            target,
            launches(shell)[0].argv,
            tty=True,
            interactive=True,
            env=environment({"LC_ALL": "C.UTF-8"}, nonce=NONCE),
            detach_keys="ctrl-^,ctrl-_,ctrl-^,ctrl-_",
        )
        self.transport = PtyTransport(argv, environ=os.environ, rows=40, columns=120)
        self.conversation = Conversation(NONCE)
        self.steps: list[dict[str, str]] = []

    def start(self) -> None:
        """Wait for the first prompt."""
        self._type(self.conversation.hello())
        self._until(Ready)

    def run(self, cell: Cell) -> list[Happening]:
        """Submit a cell and return what happens until it has ended and all is silent."""
        self.steps.append({"submit": cell.code})
        self._type(self.conversation.submit(cell.code))
        return [*self._until(Done), *self._rest()]

    def stop(self) -> None:
        """Have the shell exit: the end of the engine's client would leave it in the container."""
        self._type(b"\x03\n exit\n")
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end and self.transport.read() is not None:
            select.select([self.transport.fileno()], [], [], SILENCE)
        self.transport.close()

    def _type(self, data: bytes) -> None:
        while data:
            data = data[self.transport.write(data) :]

    def _until(self, kind: type[Happening]) -> list[Happening]:
        happenings: list[Happening] = []
        end = time.monotonic() + TIMEOUT
        while not any(isinstance(each, kind) for each in happenings):
            if time.monotonic() > end:
                raise TimeoutError(f"no {kind.__name__}; so far: {happenings}")
            happenings += self._read(TIMEOUT) or []
        return happenings

    def _rest(self) -> list[Happening]:
        happenings: list[Happening] = []
        while (more := self._read(SILENCE)) is not None:
            happenings += more
        return happenings

    def _read(self, timeout: float) -> list[Happening] | None:
        if not select.select([self.transport.fileno()], [], [], timeout)[0]:
            return None
        data = self.transport.read()
        if data is None:
            raise EOFError("the shell is gone")
        if not data:
            return []
        self.steps.append({"read": base64.b64encode(data).decode()})
        happenings = self.conversation.receive(data)
        for each in happenings:
            if isinstance(each, Type):
                self._type(each.data)
        return happenings


def record(scene: Scene, target: str) -> list[str]:
    """Record one scene; return what was not as expected, in which case nothing is written."""
    recorder = Recorder(target, scene.shell)
    wrong: list[str] = []
    try:
        recorder.start()
        for cell in scene.cells:
            seen = observed(cell.code, recorder.run(cell))
            if seen != cell:
                wrong.append(f"{scene.name}: expected {cell}\n      seen {seen}")
    finally:
        recorder.stop()
    if not wrong:
        stored = {
            "nonce": NONCE,
            "cells": [vars(cell) for cell in scene.cells],
            "steps": recorder.steps,
        }
        text = json.dumps(stored, indent=0, ensure_ascii=True)
        (HERE / f"{scene.name}.json").write_text(text + "\n", encoding="ascii")
    return wrong


def observed(code: str, happenings: list[Happening]) -> Cell:
    """Return what a cell did, in the form of what was expected."""
    (done,) = [each for each in happenings if isinstance(each, Done)]
    output, late = (
        b"".join(
            each.data for each in happenings if isinstance(each, Output) and each.late is is_late
        ).decode("utf-8", "surrogateescape")
        for is_late in (False, True)
    )
    return Cell(code, output, done.status, done.cwd, late)


def main() -> int:
    """Record every scene, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("debian", help="a container with bash, dash and zsh")
    parser.add_argument("busybox", help="a container with busybox alone")
    parser.add_argument("scene", nargs="*", help="record these alone")
    options = parser.parse_args()
    scenes = [each for each in SCENES if not options.scene or each.name in options.scene]
    wrong = [
        line
        for scene in scenes
        for line in record(scene, options.busybox if scene.busybox else options.debian)
    ]
    for line in wrong:
        sys.stderr.write(line + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
