"""Whether a shell would ask for another line: for a person who enters code line by line.

A look at the text alone, for the shell itself is told whole cells. Where it errs it does so for
unusual code, and the person decides: an empty line ends the code whatever it is.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

#: Words that open something, and those that close it.
_OPENS: Final = {
    "if": "fi",
    "while": "done",
    "until": "done",
    "for": "done",
    "select": "done",
    "case": "esac",
    "{": "}",
    "[[": "]]",
}
_CLOSES: Final = frozenset(_OPENS.values())
#: Words behind which a command stands.
_BEFORE_COMMAND: Final = frozenset(
    ("if", "then", "elif", "else", "while", "until", "do", "{", "!", "time")
)
_WORD: Final = re.compile(r"""[^\s;&|()<>"'`$\\]+""")
_HERE: Final = re.compile(r"<<(-?)[ \t]*(['\"\\]?)([^\s'\"\\;&|()<>]+)['\"]?")


class Opening(Enum):
    """What is open at the end of code."""

    #: A command: a loop, a parenthesis, an operator.
    COMMAND = "command"
    #: The line: its last character is a backslash.
    LINE = "line"
    #: A quote.
    QUOTE = "quote"
    #: A here-document.
    DOCUMENT = "document"


def is_open(code: str) -> bool:
    """Whether `code` has an end that is open: a quote, a loop, a here-document, an operator."""
    return opening(code) is not None


def opening(code: str) -> Opening | None:
    """Return what is open at the end of `code`, the innermost; None where nothing is."""
    scan = _Scan(code)
    if not scan.run():
        return None
    return scan.opening


class _Scan:
    """One walk over the text."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._at = 0
        #: What closes each thing that is open.
        self._closers: list[str] = []
        self._here: list[tuple[bool, str]] = []
        #: What the text was cut off in, where it was.
        self._cut: Opening | None = None
        #: Whether the next word may be a reserved one, and whether one must come.
        self._first = True
        self._wanted = False

    def run(self) -> bool:
        """Return whether something is open at its end."""
        code = self._code
        while self._at < len(code):
            if not self._step():
                # Closed what was not open, which is an error whatever follows; or cut off.
                return self._at > len(code)
        return bool(self._closers or self._here or self._wanted)

    @property
    def opening(self) -> Opening:
        """What is open, after a walk that found something open."""
        if self._here:
            return Opening.DOCUMENT
        if self._cut is not None:
            return self._cut
        return Opening.QUOTE if self._closers[-1:] == ['"'] else Opening.COMMAND

    def _step(self) -> bool:
        code, top = self._code, self._closers[-1] if self._closers else ""
        char = code[self._at]
        if char == "\\":
            return self._escaped(top)
        if top in ('"', "${"):
            return self._quoted(char, top)
        if char == "#" and (self._at == 0 or code[self._at - 1] in " \t\n;&|()"):
            self._at = self._find("\n", self._at)
            return True
        if char == "'" or code.startswith("$'", self._at):
            return self._single()
        if char in '"`' or code.startswith(("$(", "${"), self._at):
            return self._nested(char, top)
        if code.startswith("<<<", self._at):
            self._at += 3
            return True
        if here := _HERE.match(code, self._at):
            self._here.append((bool(here[1]), here[3]))
            self._at = here.end()
            return True
        if word := _WORD.match(code, self._at):
            self._at = word.end()
            return self._word(word[0])
        return self._sign(char, top)

    def _escaped(self, top: str) -> bool:
        if self._code[self._at + 1 : self._at + 2] != "\n":
            self._first = self._wanted = False
        self._at += 2
        if self._at > len(self._code) and top != '"':
            # It takes the next line in.
            self._cut = Opening.LINE
        return self._at <= len(self._code)

    def _quoted(self, char: str, top: str) -> bool:
        """A step between double quotes, or in ``${…}``."""
        if char == ("}" if top == "${" else '"'):
            self._closers.pop()
        elif (
            char == "`"
            or self._code.startswith(("$(", "${"), self._at)
            or (char == '"' and top == "${")
        ):
            return self._nested(char, top)
        self._at += 1
        return True

    def _single(self) -> bool:
        dollar = self._code[self._at] == "$"
        self._at += 2 if dollar else 1
        while self._at < len(self._code) and self._code[self._at] != "'":
            self._at += 2 if dollar and self._code[self._at] == "\\" else 1
        self._at += 1
        self._first = self._wanted = False
        if self._at > len(self._code):
            self._cut = Opening.QUOTE
        return self._at <= len(self._code)

    def _nested(self, char: str, top: str) -> bool:
        code = self._code
        self._wanted = False
        if code.startswith("$((", self._at):
            return self._arithmetic(3)
        if char == "`":
            self._at += 1
            if top == "`":
                self._closers.pop()
            else:
                self._closers.append("`")
            self._first = top != "`"
            return True
        if char == '"':
            self._closers.append('"')
            self._at += 1
        else:
            self._closers.append("${" if code[self._at + 1] == "{" else ")")
            self._at += 2
        self._first = self._closers[-1] == ")"
        return True

    def _arithmetic(self, length: int) -> bool:
        """Pass ``((…))`` over: its signs are no shell's."""
        depth = 2
        self._at += length
        while depth and self._at < len(self._code):
            depth += {"(": 1, ")": -1}.get(self._code[self._at], 0)
            self._at += 1
        self._first = False
        if depth:
            self._at = len(self._code) + 1
        return depth == 0

    def _word(self, word: str) -> bool:
        first, self._first, self._wanted = self._first, False, False
        if word == "]]" and self._closers[-1:] == ["]]"]:
            self._closers.pop()
            return True
        if not first:
            # `for x do`, `case x in`: the words in between are not counted.
            self._first = word in ("do", "in") and bool(self._closers)
            return True
        if word in _CLOSES:
            if self._closers[-1:] != [word]:
                return False
            self._closers.pop()
        elif word in _OPENS:
            self._closers.append(_OPENS[word])
        self._first = word in _BEFORE_COMMAND
        return True

    def _sign(self, char: str, top: str) -> bool:
        code = self._code
        if char == "\n":
            self._at += 1
            self._first = True
            return self._documents()
        if char == "(":
            if code.startswith("((", self._at) and self._first:
                return self._arithmetic(2)
            # `name()` wants its body.
            function = re.match(r"\(\s*\)", code[self._at :])
            if function is not None and not self._first:
                self._at += function.end()
                self._first = self._wanted = True
                return True
            self._closers.append(")")
            self._first, self._wanted = True, False
        elif char == ")":
            if top == ")":
                self._closers.pop()
                self._first = False
            elif "esac" not in self._closers:
                return False
            else:
                self._first = True
        elif char in ";&|":
            pair = code[self._at : self._at + 2]
            self._at += pair in ("&&", "||", "|&", ";;")
            self._first, self._wanted = True, char == "|" or pair == "&&"
        elif char not in " \t\r":
            self._first = self._wanted = False
        self._at += 1
        return True

    def _documents(self) -> bool:
        """Pass over the here-documents whose lines begin here."""
        while self._here:
            tabs, delimiter = self._here[0]
            while True:
                if self._at >= len(self._code):
                    self._at = len(self._code) + 1
                    return False
                end = self._find("\n", self._at)
                line = self._code[self._at : end]
                self._at = end + 1
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
            self._here.pop(0)
        return True

    def _find(self, text: str, start: int) -> int:
        found = self._code.find(text, start)
        return len(self._code) if found < 0 else found
