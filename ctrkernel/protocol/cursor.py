"""What stands at the cursor of shell code that is being typed; nothing of it is run.

A walk over the text from its beginning to the cursor, in the grammar of the shells (POSIX.1-2017,
XCU 2.2, 2.3, 2.10; bash's manual for what it adds). Code that no shell would take has an answer
too: this never raises.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ctrkernel.protocol.typed_command import CommandBuilder, Place, Position
from ctrkernel.protocol.typed_word import Opaque, Tilde, Variable, Word

if TYPE_CHECKING:
    from ctrkernel.protocol.typed_word import WordBuilder

_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
#: Parameters of one character.
_SPECIAL_PARAMETERS: Final = "@*#?-$!0123456789"
_HERE: Final = re.compile(r"<<(-?)[ \t]*(['\"\\]?)([^\s'\"\\;&|()<>]+)['\"]?(?=[\s;&|()<>])")
_OPEN_NAME: Final = re.compile(r"\$\{?[#!]?(?:[A-Za-z_]\w*)?\Z", re.ASCII)
#: Text that stands for itself: outside of quotes, and in double ones.
_RUN: Final = re.compile(r"[\w.,+@%^/-]+")
_DOUBLE_RUN: Final = re.compile(r'[^"\\$`]+')
_BLANK: Final = re.compile(r"[ \t\r]+")
#: Characters before the cursor that are read: the walk takes about a second for a million. Of
#: longer text it begins at a line, as if no quote or here-document were open there.
LONGEST: Final = 20_000
#: How deep commands may stand in one another; deeper, nothing is said.
DEEPEST: Final = 200


def place_at(code: str, cursor: int) -> Place:
    """Return what stands at `cursor`, a place in `code`; what follows it is not looked at."""
    typed = code[: max(0, cursor)]
    start = 0
    if len(typed) > LONGEST:
        start = typed.find("\n", len(typed) - LONGEST) + 1
        if not start:
            return Place(Position.NOTHING, Word("", len(typed)))
    return _Walk(typed, start).run()


def word_of(code: str, start: int) -> Word:
    """Return the word that begins at `start` and reaches to the end of `code`."""
    place = _Walk(code, start).run()
    return place.word


class _End(Exception):
    """The cursor is where only this may stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


class _Walk:
    def __init__(self, code: str, start: int = 0) -> None:
        self._code = code
        self._at = start
        self._levels = [CommandBuilder("")]
        self._here: list[tuple[bool, bool, str]] = []

    @property
    def _level(self) -> CommandBuilder:
        return self._levels[-1]

    def run(self) -> Place:
        try:
            while self._at < len(self._code):
                self._step()
        except _End as end:
            return end.place
        return self._level.place(self._code, len(self._code))

    # Steps

    def _step(self) -> None:
        code, level = self._code, self._level
        char = code[self._at]
        quote = level.word.quote if level.word is not None else ""
        if quote == "'":
            self._single(char)
        elif quote == "$'":
            self._ansi_c(char)
        elif quote == '"':
            self._double(char)
        elif char == "\\":
            self._backslash()
        elif char in "\"'":
            self._word().quote = char
            self._at += 1
        elif code.startswith(("$'", '$"'), self._at):
            self._word().quote = "$'" if code[self._at + 1] == "'" else '"'
            self._at += 2
        elif char in "$`":
            self._expansion(char)
        elif char in " \t\r\n;&|()<>":
            self._operator(char)
        elif char == "#" and level.word is None:
            self._comment()
        else:
            self._plain(char)

    def _word(self) -> WordBuilder:
        return self._level.open_word(self._at)

    def _single(self, char: str) -> None:
        word = self._word()
        if char == "'":
            word.quote = ""
            self._at += 1
            return
        stops = [self._code.find(each, self._at) for each in ("'", "\\")]
        end = min((stop for stop in stops if stop > self._at), default=len(self._code))
        text = self._code[self._at : end]
        self._at = end
        word.add(text, end)

    def _ansi_c(self, char: str) -> None:
        word = self._word()
        if char == "\\":
            # Which character it is matters to nobody but the shell.
            word.add_piece(Opaque.OPAQUE)
            self._at += 2
            return
        self._single(char)

    def _double(self, char: str) -> None:
        word = self._word()
        if char == "\\":
            following = self._code[self._at + 1 : self._at + 2]
            self._at += 2
            if not following:
                word.escaped = True
            elif following in '"\\$`':
                word.add(following, self._at)
            elif following != "\n":
                word.add(f"\\{following}", self._at)
        elif char == '"':
            word.quote = ""
            self._at += 1
        elif char in "$`":
            self._expansion(char)
        else:
            run = _DOUBLE_RUN.match(self._code, self._at)
            assert run is not None
            self._at = run.end()
            word.add(run[0], self._at)

    def _backslash(self) -> None:
        following = self._code[self._at + 1 : self._at + 2]
        if following == "\n":
            self._at += 2
            return
        word = self._word()
        self._at += 2
        if following:
            word.add(following, self._at)
        else:
            word.escaped = True

    def _plain(self, char: str) -> None:
        word = self._word()
        if char == "~" and word.start == self._at:
            end = re.compile(r"~[\w.+-]*").match(self._code, self._at)
            assert end is not None
            if self._code[end.end() : end.end() + 1] in ("", "/", *" \t\n;&|()<>"):
                word.add_piece(Tilde(end[0][1:]))
                self._at = end.end()
                return
        run = _RUN.match(self._code, self._at)
        text = run[0] if run else char
        self._at += len(text)
        word.add(text, self._at)
        if char in "=:":
            word.breaks.append(self._at - word.start)

    def _comment(self) -> None:
        end = self._code.find("\n", self._at)
        if end < 0:
            raise _End(Place(Position.NOTHING, Word("", len(self._code))))
        self._at = end

    # Expansions

    def _expansion(self, char: str) -> None:
        code = self._code
        if char == "`":
            if self._level.closer == "`":
                self._close()
            else:
                self._open("`", 1)
            return
        if code.startswith("$((", self._at):
            self._arithmetic(3)
        elif code.startswith("$(", self._at):
            self._open(")", 2)
        elif code.startswith("${", self._at):
            self._braces()
        else:
            self._dollar()

    def _dollar(self) -> None:
        word, start = self._word(), self._at
        name = _NAME.match(self._code, start + 1)
        end = name.end() if name else start + 1
        if end == len(self._code):
            raise _End(Place(Position.VARIABLE, Word(self._code[start:], start, quote=word.quote)))
        self._at = end
        if name:
            word.add_piece(Variable(name[0]))
        elif self._code[end] in _SPECIAL_PARAMETERS:
            word.add_piece(Opaque.OPAQUE)
            self._at += 1
        else:
            word.add("$", self._at)

    def _braces(self) -> None:
        word, start = self._word(), self._at
        if _OPEN_NAME.fullmatch(self._code, start):
            raise _End(Place(Position.VARIABLE, Word(self._code[start:], start, quote=word.quote)))
        name = _NAME.match(self._code, start + 2)
        if name and self._code[name.end()] == "}":
            word.add_piece(Variable(name[0]))
            self._at = name.end() + 1
            return
        word.add_piece(Opaque.OPAQUE)
        self._at = self._past_braces(start + 2, start)

    def _past_braces(self, at: int, start: int) -> int:
        """Pass over what stands in ``${ … }``; a variable's name may be open in it."""
        code, depth, quote = self._code, 1, ""
        while at < len(code):
            char = code[at]
            if char == "\\":
                at += 1
            elif quote == "'":
                quote = "" if char == "'" else quote
            elif char in "'\"":
                quote = "" if quote == char else quote or char
            elif code.startswith("${", at):
                depth += 1
                at += 1
            elif char == "}":
                depth -= 1
                if not depth:
                    return at + 1
            at += 1
        raise _End(self._open_name(start + 2))

    def _open_name(self, least: int) -> Place:
        """Return the variable whose name ends at the cursor, behind a ``$``; else nothing."""
        found = _OPEN_NAME.search(self._code, least)
        if found is None:
            return Place(Position.NOTHING, Word("", len(self._code)))
        return Place(Position.VARIABLE, Word(found[0], found.start()))

    def _arithmetic(self, length: int) -> None:
        """Pass over ``((…))``: names in it are variables."""
        self._word().add_piece(Opaque.OPAQUE)
        start = self._at = self._at + length
        depth = 2
        while self._at < len(self._code):
            depth += {"(": 1, ")": -1}.get(self._code[self._at], 0)
            self._at += 1
            if not depth:
                return
        name = re.compile(r"\$?\{?[A-Za-z_]\w*\Z|\$\{?\Z", re.ASCII).search(self._code, start)
        if name is None:
            raise _End(Place(Position.NOTHING, Word("", len(self._code))))
        raise _End(Place(Position.VARIABLE, Word(name[0], name.start())))

    def _open(self, closer: str, length: int, *, values: bool = False) -> None:
        self._word().add_piece(Opaque.OPAQUE)
        if len(self._levels) > DEEPEST:
            raise _End(Place(Position.NOTHING, Word("", len(self._code))))
        self._at += length
        self._levels.append(CommandBuilder(closer, values=values))

    def _close(self) -> None:
        self._end_word()
        self._levels.pop()
        self._at += 1

    # Between words

    def _operator(self, char: str) -> None:
        code, level = self._code, self._level
        if blank := _BLANK.match(code, self._at):
            self._end_word()
            self._at = blank.end()
        elif char == "(":
            self._parenthesis()
        elif char == ")":
            if level.closer == ")" and not level.cases:
                self._close()
            else:
                # A pattern of `case` ends, or nothing was open.
                self._end_command()
                self._at += 1
        elif char in "<>":
            self._redirection()
        elif char == "\n":
            self._end_command()
            self._at += 1
            self._documents()
        elif char == "&" and code.startswith("&>", self._at):
            self._end_word()
            level.target = True
            self._at += 3 if code.startswith("&>>", self._at) else 2
        elif level.test and char in "&|":
            self._end_word()
            self._at += 1
        else:
            self._end_command()
            self._at += 1

    def _parenthesis(self) -> None:
        level = self._level
        word = level.word
        if level.test:
            self._end_word()
            self._at += 1
        elif word is not None and self._code[self._at - 1] == "=":
            self._open(")", 1, values=True)
        elif self._code.startswith("((", self._at) and not level.words and word is None:
            self._arithmetic(2)
        elif (word is not None or level.words) and re.compile(r"\(\s*\)").match(
            self._code, self._at
        ):
            # A function's name: its body follows.
            self._end_word()
            level.words.clear()
            self._at = self._code.index(")", self._at) + 1
        else:
            self._end_word()
            self._open(")", 1)

    def _redirection(self) -> None:
        code, level = self._code, self._level
        if level.test:
            self._end_word()
            self._at += 1
            return
        if code.startswith(("<(", ">("), self._at):
            self._open(")", 2)
            return
        if level.word is not None and code[level.word.start : self._at].isdigit():
            # The descriptor that is redirected.
            level.word = None
        self._end_word()
        if code.startswith("<<<", self._at):
            self._at += 3
            level.target = True
            return
        here = _HERE.match(code, self._at)
        if here is not None:
            self._here.append((bool(here[1]), bool(here[2]), here[3]))
            self._at = here.end()
            return
        if code.startswith("<<", self._at):
            raise _End(Place(Position.NOTHING, Word("", len(code))))
        level.target = True
        self._at += 1
        while self._at < len(code) and code[self._at] in ">&|":
            self._at += 1

    def _documents(self) -> None:
        """Pass over the here-documents whose lines begin here."""
        code = self._code
        while self._here:
            tabs, quoted, delimiter = self._here[0]
            body = self._at
            while True:
                end = code.find("\n", self._at)
                if end < 0:
                    nothing = Place(Position.NOTHING, Word("", len(code)))
                    raise _End(nothing if quoted else self._open_name(body))
                line = code[self._at : end]
                self._at = end + 1
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
            self._here.pop(0)

    def _end_word(self) -> None:
        self._level.end_word(self._code, self._at)

    def _end_command(self) -> None:
        self._level.end_command(self._code, self._at)
