"""What stands at the cursor, in words: a command, a variable, a path, a command of ours."""

from __future__ import annotations

import contextlib
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.commands import registry
from ctrkernel.errors import CtrKernelError, UsageError
from ctrkernel.protocol.pointed import Pointed, What, pointed_at
from ctrkernel.session import about
from ctrkernel.session.mask import DOTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.session.about import Sections
    from ctrkernel.session.shell import ShellSession

#: Seconds for an answer while somebody types, and for one that a command waits for.
ANSWER_TIMEOUT: Final = 0.9
COMMAND_TIMEOUT: Final = 10.0
#: The part of what is left of them that the person's shell is waited for.
SHELL_PART: Final = 2 / 3
#: Seconds below which no page is formatted.
PAGE_LEAST: Final = 0.3
#: Characters of an answer.
LONGEST: Final = 16_000
#: Characters of a name: nothing that can be looked up has a longer one, PATH_MAX of Linux.
LONGEST_NAME: Final = 4096
#: Names whose last answer is kept, for while the shell works.
MOST: Final = 500

#: A line of commands at a cell's beginning, and the first line of a cell that is one command's.
_LINE: Final = re.compile(r"[ \t]*%(ctr(?:_\w*)?)(?:[ \t]|$)")
_CELL: Final = re.compile(r"[ \t]*%%(ctr(?:_\w*)?)(?:[ \t]|$)")
#: What a terminal or a browser might act on.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

#: What the shells' own words for the kinds of names come down to, the first that is found.
_KINDS: Final = (
    # dash calls a program that it has run a tracked alias.
    ("alias", re.compile(r"(?<!tracked )\balias\b")),
    ("keyword", re.compile(r"\b(?:keyword|reserved)\b")),
    ("function", re.compile(r"\bfunction\b")),
    ("builtin", re.compile(r"\bbuiltin\b")),
    ("program", re.compile(r"\b(?:file|command|hashed)$|/")),
)
_TITLES: Final = {
    "alias": "an alias",
    "keyword": "a word of the shell's grammar",
    "function": "a function",
    "builtin": "a builtin of the shell",
    "program": "a program",
}
#: bash's and zsh's letters for what a variable is.
_ATTRIBUTES: Final = {
    "a": "array",
    "A": "associative array",
    "i": "integer",
    "F": "floating point",
    "l": "lower case",
    "n": "reference",
    "r": "readonly",
    "u": "upper case",
    "x": "exported",
}
_DECLARED: Final = re.compile(r"(?:declare|typeset|export|readonly)(?: -g)?((?: -[\w-]+)*) ")


class Inspector:
    """Looks up names for one workspace; keeps what was known of them.

    Args:
        workspace: Whose shell is asked.
        turn: Held while the shell is asked: whoever runs cells holds it meanwhile, and is not
            waited for. None for who has it already.
    """

    def __init__(self, workspace: Workspace, *, turn: threading.Lock | None = None) -> None:
        self._workspace = workspace
        self._turn = turn
        self._known: dict[tuple[str, str], Sections] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ctrkernel-inspection")

    def inspect(self, code: str, cursor: int) -> str:
        """Return what is known of what stands at the cursor; empty where that is nothing.

        Args:
            code: The cell.
            cursor: A place in it.
        """
        offset = 0
        if cell := _CELL.match(code):
            offset = code.find("\n") + 1 or len(code) + 1
            if cursor < offset:
                return _command_help(cell[1])
            if cell[1] != "ctr":
                return ""
        while line := _LINE.match(code, offset):
            end = code.find("\n", offset) + 1 or len(code) + 1
            if cursor < end:
                if line[1] == "ctr" and cursor >= line.end():
                    offset = line.end()
                    break
                return _command_help(line[1])
            offset = end
        pointed = pointed_at(code[offset:], cursor - offset)
        if pointed is None:
            return ""
        return self._about(pointed, run=False, timeout=ANSWER_TIMEOUT)

    def look_up(self, name: str) -> str:
        """Return what is known of a name; a program that has no manual is run with ``--help``."""
        kinds = [What.COMMAND, What.VARIABLE, What.PATH]
        if name.startswith("$"):
            kinds, name = [What.VARIABLE], name[1:]
        pointed = Pointed(tuple((kind, name) for kind in kinds))
        return self._about(pointed, run=True, timeout=COMMAND_TIMEOUT)

    def _about(self, pointed: Pointed, *, run: bool, timeout: float) -> str:
        session = self._workspace.session
        if session is None or not session.alive:
            return ""
        deadline = time.monotonic() + timeout
        for what, name in pointed.readings:
            if not 0 < len(name) <= LONGEST_NAME or _CONTROL.search(name):
                continue
            look = _Look(session, deadline, run)
            try:
                found = "\n".join(self._read(look, what, name)).rstrip()
            except CtrKernelError:
                continue
            if found:
                return _shown(self._workspace.mask.hide(found))
        return ""

    def _read(self, look: _Look, what: What, name: str) -> Iterator[str]:
        match what:
            case What.COMMAND if "/" not in name and name != "~":
                yield from self._command(look, name)
            case What.VARIABLE:
                yield from self._variable(look, name)
            case _:
                yield from _path(look, name)

    # Names

    def _command(self, look: _Look, name: str) -> Iterator[str]:
        session = look.session
        live = self._live(look, name)
        kind = _kind(live.get("type", ""))
        if kind in ("alias", "function"):
            yield f"{name} is {_TITLES[kind]}"
            yield ""
            yield live.get("alias" if kind == "alias" else "source", "") or live["type"]
            return
        path = live.get("path", "") if kind == "program" else ""
        known = {"path": path} | about.ask_program(session, name, path, timeout=look.left)
        kind = kind or _kind(known.get("type", "")) or ("program" if known["path"] else "")
        if not kind:
            return
        yield f"{name} is {_TITLES[kind]}"
        yield ""
        if kind == "program":
            yield " · ".join(_facts(known))
            yield ""
            yield _manual(look, name, known)
            return
        if "help" in known and not session.shell.startswith("bash"):
            yield "What bash says of its own:"
        yield known.get("help") or known.get("usage", "")

    def _variable(self, look: _Look, name: str) -> Iterator[str]:
        live = self._live(look, name)
        declared = live.get("variable", "")
        if not declared:
            return
        letters = _DECLARED.match(declared)
        flags = (letters[1] if letters else "").replace("-", "").replace(" ", "")
        attributes = [word for letter, word in _ATTRIBUTES.items() if letter in flags]
        if (declared.startswith("export ") or "exported" in live) and "exported" not in attributes:
            attributes.append("exported")
        if name in self._workspace.container().variables.secrets:
            attributes.append("secret")
            declared = f"{name}={DOTS}"
        yield ", ".join([f"{name} is a variable", *attributes])
        yield ""
        yield _DECLARED.sub("", declared, count=1)

    def _live(self, look: _Look, name: str) -> Sections:
        """Return what the person's shell knows, or last knew where it works; it is not waited for.

        One that does not answer in time is interrupted later, and nothing is known of it now.
        """
        turn = self._turn
        if turn is None or turn.acquire(blocking=False):
            asked = self._thread.submit(self._ask, look.session, name)
            if turn is not None:
                asked.add_done_callback(lambda _: turn.release())
            with contextlib.suppress(TimeoutError, CtrKernelError):
                asked.result(look.left * SHELL_PART)
        return self._known.get((look.session.container, name), {})

    def _ask(self, session: ShellSession, name: str) -> None:
        found = about.ask_shell(session, name)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[session.container, name] = found


@dataclass(frozen=True, slots=True)
class _Look:
    """One question.

    Attributes:
        session: Whose shell and container are asked.
        deadline: When the answer must be there, by the monotonic clock.
        run: Whether a program may be run with ``--help``, which takes its own time.
    """

    session: ShellSession
    deadline: float
    run: bool

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self.deadline - time.monotonic())


def _manual(look: _Look, name: str, known: Sections) -> str:
    if "usage" in known:
        return known["usage"]
    page = about.ask_page(look.session, name, timeout=look.left) if look.left > PAGE_LEAST else ""
    if page:
        return page
    if look.run:
        return about.run_help(look.session, known["path"])
    return f"%ctr_help {name} runs it with --help"


def _command_help(name: str) -> str:
    try:
        return registry.find(name).help()
    except UsageError:
        return ""


def _kind(said: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.search(said)), "")


def _facts(known: Sections) -> Iterator[str]:
    path, real = known.get("path", ""), known.get("real", "")
    yield path if real in ("", path) else f"{path} -> {real}"
    yield from _content(known.get("head", ""))
    if package := known.get("package"):
        yield f"package {package.splitlines()[0]}"


def _content(head: str) -> Iterator[str]:
    if head.startswith("\x7fELF"):
        yield "compiled"
    elif head.startswith("#!"):
        yield f"script of {head[2:].splitlines()[0].strip()}"


def _path(look: _Look, name: str) -> Iterator[str]:
    home = look.session.home
    path = f"{home}{name[1:]}" if home and (name == "~" or name.startswith("~/")) else name
    found = about.ask_path(look.session, path, timeout=look.left)
    if "listing" not in found:
        return
    kind = found.get("kind") or next(_content(found.get("head", "")), "file")
    yield f"{name}: {kind}"
    yield ""
    yield found["listing"]


def _shown(text: str) -> str:
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
