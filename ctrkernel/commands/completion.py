"""What may follow in a line that is being typed: names, options, containers, paths."""

from __future__ import annotations

import argparse
import os
import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctrkernel.commands import registry
from ctrkernel.commands.candidates import Candidate, Completion
from ctrkernel.commands.cell import split_cell
from ctrkernel.commands.command import Completes, TailCommand
from ctrkernel.commands.settings import SETTINGS
from ctrkernel.commands.words import Slot, quoted, slot, split
from ctrkernel.container import MAIN
from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ctrkernel.commands.command import Command
    from ctrkernel.commands.shell_completion import ShellCompleter
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.session.shell import ShellSession

#: Seconds that a person waits for a menu; an answer that takes longer serves the next one.
PATIENCE = 0.8
#: Seconds in which an answer is not asked for again.
FRESH = 2.0
#: Seconds for the engine's own answer.
ANSWER_TIMEOUT = 5.0
#: Candidates of one kind that are returned at most.
MOST = 500

#: A line that is a command, perhaps one whose value is kept: ``x = %ctr_ps``.
_LINE = re.compile(r"[ \t]*(?:[\w.,\[\]'\" \t]+=[ \t]*)?%(\w*)(?:([ \t]+)(.*))?", re.DOTALL)
_CELL = re.compile(r"\s*%%(\w*)(?:([ \t]+)(.*))?")


class Completer:
    """Completes commands for one workspace; keeps the engine's answers for a moment.

    Args:
        workspace: Whose containers and sessions are meant.
        of_shell: Whether a cell is shell code, as in the kernel; else it is Python's.
        turn: Held while a person's shell is asked; whoever runs cells holds it meanwhile.
    """

    def __init__(
        self, workspace: Workspace, *, turn: threading.Lock | None = None, of_shell: bool = False
    ) -> None:
        self._workspace = workspace
        self._of_shell = of_shell
        self._turn = turn
        self._code: ShellCompleter | None = None
        self._lock = threading.Lock()
        self._answers: dict[object, tuple[float, list[str]]] = {}

    def complete(
        self, text: str, cursor: int, *, variables: Mapping[str, Any] | None = None
    ) -> Completion | None:
        """Return what may stand at the cursor; None where the text there is no command's.

        It takes at most a second, and raises nothing because of an engine that does not answer.

        Args:
            text: The whole cell.
            cursor: A place in it.
            variables: Python's, by name.
        """
        line_start = text.rfind("\n", 0, cursor) + 1
        typed = text[line_start:cursor]
        if cell := _CELL.match(text):
            name, words = cell[1], cell[3] or ""
            if cursor > cell.end() and name in registry.WITH_BODY:
                return self._body(registry.find(name), words, text, cursor)
            match = _CELL.fullmatch(text[:cursor])
        else:
            match = _LINE.fullmatch(typed)
        if match is None:
            return self._cell(text, cursor) if self._of_shell else None
        if match[2] is None:
            return _names(match[1], cursor, cell=cell is not None)
        if match[1] not in registry.COMMANDS:
            return None
        command, line = registry.find(match[1]), match[3]
        place = slot(command, line)
        if place.action is not None and place.action.dest == "code":
            session = self._session(place.values)
            if isinstance(command, TailCommand) and session is not None and session.pid is not None:
                start = cursor - len(line) + command.tail_start(line)
                return self._shell_code(text, cursor, start, session)
        return self._at(command, place, cursor, variables or {})

    def _cell(self, text: str, cursor: int) -> Completion | None:
        """Complete a cell's shell code, below its lines of commands."""
        code = split_cell(text).shell
        if code is None or cursor < len(text) - len(code):
            return None
        return self._shell_code(text, cursor, len(text) - len(code), self._workspace.session)

    def _body(self, command: Command, words: str, text: str, cursor: int) -> Completion | None:
        """Complete a cell's shell code below its command."""
        if command.completes.get("code") is not Completes.CONTAINER_PATH:
            return None
        values = slot(command, f"{words} ").values
        session = self._session(values)
        if session is not None and session.pid is not None:
            return self._shell_code(text, cursor, text.index("\n") + 1, session)
        # There is no shell so far: paths alone, where it would begin.
        typed = text[text.rfind("\n", 0, cursor) + 1 : cursor]
        place = Slot(None, 0, False, split(typed, operators=True)[-1], values)
        return self._found([Completes.CONTAINER_PATH], place, cursor, {})

    def _shell_code(
        self, text: str, cursor: int, start: int, session: ShellSession | None
    ) -> Completion:
        """Complete shell code that begins at `start`."""
        found = self._completer().complete(text[start:], cursor - start, session)
        return Completion(found.start + start, cursor, found.candidates)

    def _completer(self) -> ShellCompleter:
        if self._code is None:
            from ctrkernel.commands.shell_completion import ShellCompleter  # noqa: PLC0415 - a fast start

            self._code = ShellCompleter(self._turn)
        return self._code

    def _at(
        self, command: Command, place: Slot, cursor: int, variables: Mapping[str, Any]
    ) -> Completion:
        action, word = place.action, place.word
        if action is None:
            options = _options(command, word.raw) if place.options else []
            return Completion(cursor - len(word.raw), cursor, tuple(options))
        if action.choices is not None:
            found = [str(each) for each in action.choices if str(each).startswith(word.text)]
            candidates = [Candidate(quoted(each, word.raw), "choice") for each in found]
            return Completion(cursor - len(word.raw), cursor, tuple(candidates))
        kinds = command.completes.get(action.dest, ())
        kinds = kinds if isinstance(kinds, tuple) else (kinds,)
        # The first of several words is of the first kind: what is copied, not where to.
        if place.number == 0:
            kinds = kinds[:1]
        if action.dest == "code":
            word = split(word.raw, operators=True)[-1]
        elif "," in str(action.metavar or ""):
            word = split(word.raw.rpartition(",")[2])[-1]
        place = Slot(action, place.number, place.options, word, place.values)
        completion = self._found(kinds, place, cursor, variables)
        if completion.candidates or not place.options:
            return completion
        return Completion(cursor, cursor, tuple(_options(command, "")))

    def _found(
        self, kinds: Iterable[Completes], place: Slot, cursor: int, variables: Mapping[str, Any]
    ) -> Completion:
        word = place.word
        candidates = [
            Candidate(quoted(text, word.raw), kind.value)
            for kind in kinds
            for text in self._of(kind, place, variables)
            if text.startswith(word.text)
        ]
        return Completion(cursor - len(word.raw), cursor, tuple(candidates[:MOST]))

    def _of(self, kind: Completes, place: Slot, variables: Mapping[str, Any]) -> list[str]:
        match kind:
            case Completes.CONTAINER:
                return self._listed("ps", "--format", "{{.Names}}")
            case Completes.ANY_CONTAINER:
                return self._listed("ps", "--all", "--format", "{{.Names}}")
            case Completes.IMAGE:
                listed = self._listed("images", "--format", "{{.Repository}}:{{.Tag}}")
                return [name.removesuffix(":latest") for name in listed if "<none>" not in name]
            case Completes.SESSION:
                return self._sessions(place.values)
            case Completes.CONTAINER_PATH:
                return self._container_paths(place.word.text, place.values)
            case Completes.PLACE:
                return self._places(place.word.text)
            case Completes.COMMAND:
                return self._commands(place)
        return _of_this_process(kind, place.word.text, variables)

    def _commands(self, place: Slot) -> list[str]:
        """List what may be run, for the first word of a command."""
        if place.number:
            return []
        word = place.word.text
        found = self._completer().complete(word, len(word), self._session(place.values))
        return [each.text for each in found.candidates if found.start == 0]

    def _target(self, values: Mapping[str, str]) -> str:
        """Return the container that the options before the cursor name, or the attached one."""
        named = next((values[dest] for dest in ("on", "container", "target") if dest in values), "")
        return named.partition(",")[0].strip() or self._workspace.target

    def _session(self, values: Mapping[str, str]) -> ShellSession | None:
        container = self._workspace.containers.get(self._target(values))
        if container is None:
            return None
        return container.sessions.get(values.get("session", MAIN))

    def _sessions(self, values: Mapping[str, str]) -> list[str]:
        container = self._workspace.containers.get(self._target(values))
        return sorted({MAIN, *(container.sessions if container is not None else ())})

    def _listed(self, *args: str) -> list[str]:
        def ask() -> list[str]:
            done = self._workspace.engine.run(args, timeout=ANSWER_TIMEOUT)
            return sorted(done.stdout.decode(errors="replace").split())

        return self._asked(args, ask)

    def _places(self, beginning: str) -> list[str]:
        """List containers, their paths behind a colon, and the attached one's paths."""
        name, colon, path = beginning.partition(":")
        if colon and name and "/" not in name:
            return [f"{name}:{each}" for each in self._container_paths(path, {"on": name})]
        names = self._listed("ps", "--format", "{{.Names}}")
        return [*(f"{each}:" for each in names), *self._container_paths(beginning, {})]

    def _container_paths(self, beginning: str, values: Mapping[str, str]) -> list[str]:
        target = self._target(values)
        if not target:
            return []
        session = self._session(values)
        cwd, home = (session.cwd or "", session.home) if session is not None else ("", "")

        def ask() -> list[str]:
            from ctrkernel.session.listing import paths  # noqa: PLC0415 - asked for rarely

            return paths(
                self._workspace.engine,
                target,
                beginning,
                cwd=cwd,
                home=home,
                helper=session.helper if session is not None else "sh",
                timeout=ANSWER_TIMEOUT,
            )

        return self._asked((target, cwd, beginning), ask)

    def _asked(self, question: object, ask: Callable[[], list[str]]) -> list[str]:
        """Return the answer, if it is there in time; else an empty one."""
        with self._lock:
            told, answer = self._answers.get(question, (0.0, []))
            if told and time.monotonic() - told < FRESH:
                return answer
        done = threading.Event()

        def work() -> None:
            try:
                answer = ask()
            except CtrKernelError:
                answer = []
            with self._lock:
                # What is old will not be asked for again by the same letters.
                self._answers = {
                    key: value
                    for key, value in self._answers.items()
                    if time.monotonic() - value[0] < FRESH
                }
                self._answers[question] = time.monotonic(), answer
            done.set()

        threading.Thread(target=work, name="ctrkernel-completion", daemon=True).start()
        done.wait(PATIENCE)
        with self._lock:
            return self._answers.get(question, (0.0, []))[1]


def _names(typed: str, cursor: int, *, cell: bool) -> Completion:
    names = sorted(registry.WITH_BODY if cell else registry.COMMANDS)
    candidates = [Candidate(name, "magic") for name in names if name.startswith(typed)]
    return Completion(cursor - len(typed), cursor, tuple(candidates))


def _options(command: Command, typed: str) -> list[Candidate]:
    options = [
        option
        for action in command.parser()._actions  # noqa: SLF001 - argparse has no other way
        for option in action.option_strings
        if option.startswith(typed) and action.help != argparse.SUPPRESS
    ]
    long = [option for option in options if option.startswith("--")]
    return [Candidate(option, "option") for option in (long or options)]


def _of_this_process(kind: Completes, beginning: str, variables: Mapping[str, Any]) -> list[str]:
    if kind is Completes.LOCAL_PATH:
        return _local_paths(beginning)
    if kind is Completes.SETTING:
        return _settings(beginning)
    return sorted(name for name in variables if not name.startswith("_"))


def _settings(beginning: str) -> list[str]:
    """List assignments that begin so: names, and behind one the words that its value may be."""
    if "=" not in beginning:
        return [f"{setting.name}=" for setting in SETTINGS]
    return [
        f"{setting.name}={word}"
        for setting in SETTINGS
        for word in setting.form.split("|")
        if word.islower()
    ]


def _local_paths(beginning: str) -> list[str]:
    """List the paths of this machine that begin so, as typed, folders with a ``/`` behind them."""
    folder, slash, name = beginning.rpartition("/")
    try:
        with os.scandir(Path(f"{folder}{slash}" or ".").expanduser()) as entries:
            found = sorted(
                f"{folder}{slash}{entry.name}" + ("/" if entry.is_dir() else "")
                for entry in entries
                if entry.name.startswith(name) and (name or not entry.name.startswith("."))
            )
    except (OSError, RuntimeError, ValueError):
        return []
    return found[:MOST]
