"""What may follow in shell code that is being typed; nothing of it is run.

What was typed is read here (:mod:`~ctrkernel.protocol.cursor`). The shell itself tells its names
while it has nothing to do; all else is asked of a second shell beside it, which does not wait.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.candidates import Candidate, Completion
from ctrkernel.commands.shell_words import FOLDERS, NAMES, OF_COMMANDS, POSIX, inner, segments
from ctrkernel.errors import CtrKernelError
from ctrkernel.protocol.cursor import place_at, word_of
from ctrkernel.protocol.typed_command import Place, Position
from ctrkernel.protocol.typed_word import Tilde, Variable, Word, continued
from ctrkernel.session.completing import Container
from ctrkernel.session.names import LiveNames, Names

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Sequence

    from ctrkernel.session.shell import ShellSession

#: Seconds for a whole answer.
PATIENCE: Final = 0.85
#: Seconds that the person's shell may take of it; then what is known of its names is told.
NAMES_PATIENCE: Final = 0.3
#: Candidates that are returned at most.
MOST: Final = 1000

_PLAIN_COMMAND: Final = re.compile(r"[\w./@][\w./+@-]*")
_NAME_HEAD: Final = re.compile(r"[^A-Za-z_]*")
#: What a completion function that evaluates a word once more would run, as those of make and tar
#: do, though it stands in quotes.
_ACTIVE: Final = re.compile(r"[`$;&|<>()\n]")


class ShellCompleter:
    """Completes shell code for any number of sessions.

    Args:
        turn: Held while a session's shell is asked; whoever runs cells holds it meanwhile.
    """

    def __init__(self, turn: threading.Lock | None = None) -> None:
        self._turn = turn
        self._live: dict[ShellSession, LiveNames] = {}

    def complete(self, code: str, cursor: int, session: ShellSession | None) -> Completion:
        """Return what may stand at a place in shell code.

        It takes at most a second, and raises nothing because of a container that does not answer.

        Args:
            code: Shell code.
            cursor: A place in it.
            session: Whose shell would run it; None where there is none yet.
        """
        nothing = Completion(cursor, cursor, ())
        place = place_at(code, cursor)
        if session is None or session.pid is None or place.position is Position.NOTHING:
            return nothing
        try:
            found = _Question(code, cursor, place, session, self._names_of(session)).answer()
        except CtrKernelError:
            # The session was closed meanwhile.
            return nothing
        return found or nothing

    def _names_of(self, session: ShellSession) -> LiveNames:
        for each in [each for each in self._live if not each.alive]:
            self._live.pop(each).close()
        if session not in self._live:
            self._live[session] = LiveNames(session, turn=self._turn)
        return self._live[session]


class _Question:
    """One place, and how long there is to look for what may stand there."""

    def __init__(
        self, code: str, cursor: int, place: Place, session: ShellSession, live: LiveNames
    ) -> None:
        self._code = code
        self._cursor = cursor
        self._place = place
        self._session = session
        self._live = live
        self._container = Container(session)
        self._deadline = time.monotonic() + PATIENCE
        self._bash = session.shell.startswith("bash")
        self._ansi_c = self._bash or session.shell.startswith("zsh")
        self._known: Names | None = None

    @property
    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    @property
    def _names(self) -> Names:
        if self._known is None:
            self._known, _ = self._live.get(timeout=NAMES_PATIENCE)
        return self._known

    def answer(self) -> Completion | None:
        word = self._place.word
        match self._place.position:
            case Position.VARIABLE:
                return self._variables(word)
            case Position.VALUE:
                return self._paths(self._value(word))
            case Position.TARGET:
                return self._paths(word)
            case Position.COMMAND:
                return self._commands(word)
        return self._arguments(word, self._place.words)

    def _variables(self, word: Word) -> Completion:
        head = _NAME_HEAD.match(word.raw)
        assert head is not None
        closes = "{" in head[0] and self._code[self._cursor : self._cursor + 1] != "}"
        beginning = word.raw[head.end() :]
        return self._completion(
            word.start,
            (
                Candidate(f"{head[0]}{name}{'}' if closes else ''}", "variable")
                for name in sorted(self._names.variables)
                if name.startswith(beginning)
            ),
        )

    def _value(self, word: Word) -> Word:
        """Return what follows the last ``=`` or ``:`` of an assignment."""
        if not word.breaks:
            return word
        return word_of(self._code[: self._cursor], word.start + word.breaks[-1])

    # Commands

    def _commands(self, word: Word) -> Completion | None:
        if _is_user(word):
            return self._users(word)
        if word.text is None or word.folder:
            return self._paths(word, what="x")
        names = self._names
        found: dict[str, str] = {}
        for kind, each in (("function", names.functions), ("alias", names.aliases)):
            found.update(dict.fromkeys(each, kind))
        shells = {} if self._bash else (names.words or POSIX)
        for kind, words in shells.items():
            found.update({name: kind for name in words if name not in found})
        if "\n" not in word.text:
            for kind, name in self._container.commands(
                word.text, path=names.path, bash=self._bash, timeout=self._left
            ):
                found.setdefault(name, kind)
        order = {"alias": 0, "function": 0, "keyword": 1, "builtin": 1}
        texts = sorted(
            (name for name in found if name.startswith(word.text)),
            key=lambda name: (order.get(found[name], 2) if not word.text else 0, name),
        )
        candidates = []
        for name in texts:
            rest = name[len(word.text) :]
            # The shell's own words are what they are: `[`, `!`.
            plain = found[name] != "command" and not word.quote
            text = word.raw + rest if plain else self._continued(word, word.raw, rest)
            candidates.append(Candidate(text + self._closing(word), found[name]))
        return self._completion(word.start, candidates)

    def _users(self, word: Word) -> Completion:
        tilde = word.pieces[0]
        assert isinstance(tilde, Tilde)
        users = self._container.users(tilde.user, timeout=self._left)
        return self._completion(
            word.start, (Candidate(f"~{name}/", "user") for name, _ in sorted(users))
        )

    # Arguments

    def _arguments(self, word: Word, words: tuple[Word, ...]) -> Completion | None:
        words = inner(words)
        if not words:
            return self._commands(word)
        name = words[0].text or ""
        options = [each.raw for each in words[1:] if each.raw.startswith("-")]
        if not word.raw.startswith("-"):
            if kinds := NAMES.get(name):
                return self._live_names(word, kinds, options)
            if _is_user(word):
                return self._users(word)
            if name in OF_COMMANDS:
                return self._commands(word)
            if name in FOLDERS:
                return self._paths(word, what="d")
        found = self._programmed(word, words)
        if found is not None:
            return found
        if word.raw.startswith("-"):
            return self._paths(self._value(word)) if word.breaks else None
        return self._path_or_value(word)

    def _path_or_value(self, word: Word) -> Completion | None:
        found = self._paths(word)
        if (found is None or not found.candidates) and word.breaks:
            return self._paths(self._value(word))
        return found

    def _live_names(self, word: Word, kinds: str, options: Sequence[str]) -> Completion | None:
        if word.text is None:
            return None
        names = self._names
        if any("f" in option for option in options):
            kinds = "f"
        elif any("v" in option for option in options) and "v" in kinds:
            kinds = "v"
        by_kind = (
            ("v", "variable", names.variables),
            ("f", "function", names.functions),
            ("a", "alias", names.aliases),
        )
        return self._completion(
            word.start,
            (
                Candidate(self._continued(word, word.raw, name[len(word.text) :]), kind)
                for letter, kind, each in by_kind
                if letter in kinds
                for name in sorted(each)
                if name.startswith(word.text)
            ),
        )

    def _programmed(self, word: Word, words: tuple[Word, ...]) -> Completion | None:
        """Ask bash-completion; None where it has nothing to say, so that paths are looked for."""
        name = words[0].text
        if name is None or not _PLAIN_COMMAND.fullmatch(name):
            return None
        # It may evaluate what is typed: only what runs nothing is given to it.
        if not _harmless(word):
            return None
        value = self._value(word)
        typed = value.text if value.text is not None else value.raw
        names = self._names
        spec = names.specs.get(name, "")
        definitions = ""
        if " -F " in spec and spec.split(" -F ", 1)[1].split(" ", 1)[0] in names.functions:
            definitions = self._live.definitions(timeout=NAMES_PATIENCE)
        given = [(each.raw, segments(each)) if _harmless(each) else ("_", ["_"]) for each in words]
        given.append((word.raw, segments(word)))
        found = self._container.programmed(
            [segment for _, each in given for segment in each],
            typed,
            line=" ".join(raw for raw, _ in given),
            path=names.path,
            spec=spec,
            definitions=definitions,
            timeout=self._left,
        )
        if found is None:
            return None
        files = "filenames" in found.options
        start = value.name_start if files and value.text is not None else 0
        typed_raw = value.raw[start:]
        candidates = [
            Candidate(text, kind)
            for text, kind in (
                self._offered(value, typed_raw, text[len(typed) :], files=files, folder=folder)
                for text, folder in sorted(set(found.words))
                if text.startswith(typed)
            )
        ]
        place = self._completion(value.start + start, candidates)
        folders = found.options & {"plusdirs", "dirnames"}
        if word.raw.startswith("-") and not word.breaks:
            return place
        if "paths" in found.options:
            paths = self._paths(value, what="d" if folders else "", suffix=found.suffix)
        elif not candidates and folders:
            paths = self._paths(word, what="d")
        elif not candidates and found.options & {"default", "bashdefault"}:
            paths = self._path_or_value(word)
        else:
            paths = None
        return _both(place, paths)

    def _offered(
        self, word: Word, typed: str, rest: str, *, files: bool, folder: bool
    ) -> tuple[str, str]:
        """Return a candidate of bash-completion's as text, and its kind."""
        if files:
            slash = folder and not rest.endswith("/")
            text = self._continued(word, typed, rest)
            end = "/" if slash else "" if folder else self._closing(word)
            return text + end, "directory" if folder else "file"
        # As bash does, what is no file's name is taken as it is.
        text = typed + rest if not word.quote else self._continued(word, typed, rest)
        return text + self._closing(word), "option" if text.startswith("-") else "argument"

    # Paths

    def _paths(self, word: Word, *, what: str = "", suffix: str = "") -> Completion | None:
        if word.opaque:
            return None
        if _is_user(word):
            return self._users(word)
        folder = self._meaning(word.pieces[: word.folder])
        beginning = self._meaning(word.pieces[word.folder :])
        if folder is None or beginning is None:
            return None
        found = self._container.paths(
            folder, beginning, what=what, suffix=suffix, timeout=self._left
        )
        typed = word.raw[word.name_start :]
        candidates = []
        for name, is_folder in found:
            text = self._continued(word, typed, name[len(beginning) :])
            if not word.raw and name.startswith("-"):
                # Else it would be an option.
                text = f"./{text}"
            end = "/" if is_folder else self._closing(word)
            candidates.append(Candidate(text + end, "directory" if is_folder else "file"))
        return self._completion(word.start + word.name_start, candidates)

    def _meaning(self, pieces: Iterable[object]) -> str | None:
        """Return what pieces of a word mean; None where nobody can tell."""
        pieces = list(pieces)
        wanted = [piece.name for piece in pieces if isinstance(piece, Variable)]
        values = self._live.get(wanted, timeout=NAMES_PATIENCE)[1] if wanted else {}
        values.setdefault("HOME", self._session.home)
        values.setdefault("PWD", self._session.cwd or "")
        texts = []
        for piece in pieces:
            if isinstance(piece, str):
                texts.append(piece)
            elif isinstance(piece, Variable) and values.get(piece.name):
                texts.append(values[piece.name])
            elif isinstance(piece, Tilde) and (home := self._home(piece.user)):
                texts.append(home)
            else:
                return None
        return "".join(texts)

    def _home(self, user: str) -> str:
        if not user:
            return self._session.home
        homes = dict(self._container.users(user, timeout=self._left))
        return homes.get(user, "")

    # Texts

    def _continued(self, word: Word, typed: str, rest: str) -> str:
        escaped = word.escaped and bool(rest)
        return continued(typed, rest, quote=word.quote, escaped=escaped, ansi_c=self._ansi_c)

    def _closing(self, word: Word) -> str:
        """Return the quote that is open, unless it is closed behind the cursor."""
        mark = word.quote[-1:]
        return "" if self._code[self._cursor : self._cursor + 1] == mark else mark

    def _completion(self, start: int, candidates: Iterable[Candidate]) -> Completion:
        kept = []
        for each in candidates:
            try:
                each.text.encode()
            except UnicodeEncodeError:
                # A name that is no UTF-8, where the shell has no way to write it.
                continue
            kept.append(each)
            if len(kept) == MOST:
                break
        return Completion(start, self._cursor, tuple(kept))


def _both(first: Completion, second: Completion | None) -> Completion:
    """Return the candidates of both, where they stand for the same text; else of one."""
    if second is None or not second.candidates:
        return first
    if not first.candidates or first.start != second.start:
        return second if not first.candidates else first
    candidates = dict.fromkeys((*first.candidates, *second.candidates))
    return Completion(first.start, first.end, tuple(candidates))


def _is_user(word: Word) -> bool:
    return len(word.pieces) == 1 and isinstance(word.pieces[0], Tilde)


def _harmless(word: Word) -> bool:
    """Whether nothing in a word runs, were it evaluated without its quotes."""
    texts = (piece for piece in word.pieces if isinstance(piece, str))
    return not word.opaque and not any(_ACTIVE.search(text) for text in texts)
