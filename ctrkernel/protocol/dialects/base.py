"""What a shell dialect has to say, and what all of them say alike.

A cell becomes a few typed lines. Those before the last stage the code in a variable. The last one
sets the gate to the cell's sequence number, evaluates a begin mark, the code and a trailer, and
writes an end mark. A short cell is staged on that line too. Our words are redirected, so that
traces and traps stay silent for them.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from ctrkernel.protocol.encoding import PIECES_PER_JOIN
from ctrkernel.protocol.marks import Kind, printf_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Entries of a pipe status that are given back; more would make too long a line.
PIPE_STATUS_LIMIT: Final = 16
#: Open here-documents that are looked for in a cell.
CLOSERS_LIMIT: Final = 4
#: Bytes of a typed line: busybox cuts at 1,023.
LINE_LIMIT: Final = 1000
#: The staged code. Where it did not arrive, the shell says so and runs nothing.
STAGED: Final = '"${__ctrk_c?the cell did not arrive; run it again}"'
#: Every name of ours in the shell begins so: one function and a few variables.
PREFIX: Final = "__ctrk"
#: Our words' output goes here; our marks go to /dev/tty.
SILENT: Final = ">/dev/null 2>&1"
#: What the terminal must do for us: no echo of what we type, newlines as they are.
TERMINAL: Final = "stty -echo -onlcr"
#: What it must do for a person who sits at it.
ATTENDED: Final = "stty echo onlcr"


@dataclass(frozen=True, slots=True)
class ShellState:
    """What the last end mark, and the text around it, told of the shell.

    Attributes:
        flags: ``$-``.
        status: ``$?``.
        pipe_status: PIPESTATUS; one entry where the last command was no pipeline.
        prompts_intact: Whether the prompts are still the ones we set.
        debug_trap: Whether a DEBUG trap was seen to be set.
        terminal_changed: Whether echo or newline translation came back.
        finished: Whether the last cell was evaluated to its end.
        plain: Whether the user has a function named like the word that passes functions by. Our
            marks do not work then, and the prompt alone tells the end.
        repair: Whether builtins of ours may be disabled.
        attended: Whether a person sits at the terminal while the next cell runs.
    """

    flags: str = ""
    status: int = 0
    pipe_status: tuple[int, ...] = (0,)
    prompts_intact: bool = False
    debug_trap: bool = False
    terminal_changed: bool = False
    finished: bool = True
    plain: bool = False
    repair: bool = False
    attended: bool = False

    @property
    def traced(self) -> bool:
        """Whether the shell prints something for our own line before the cell begins."""
        return self.debug_trap or any(flag in self.flags for flag in "xv")


def hello_line(nonce: str, *, edited: bool = False) -> bytes:
    """Return the first line that is typed: whatever the shell, it tells which one it is.

    Args:
        nonce: The session's nonce.
        edited: Whether the shell may read by a line editor. That is switched off first, because
            what is typed while it changes the terminal may be lost.

    It must parse in every shell of the Bourne family, in one line below 1,023 bytes. The shell's
    own line in ``/proc`` is read by the shell: the image may hold no other program.
    """
    form = printf_format(Kind.HELLO, nonce)
    line = f"{PREFIX}_s"
    # The first is for zsh, the last for bash: an error of the last may end the line.
    first, last = (
        (" unsetopt zle 2>/dev/null;", "; set +o vi +o emacs 2>/dev/null") if edited else ("", "")
    )
    return (
        f"{first} {TERMINAL} 2>/dev/null; {PREFIX}_q=$?; "
        f"read -r {line} 2>/dev/null </proc/$$/stat; "
        f'printf \'{form}\' "$$" "${{BASH_VERSION-}}" "${{ZSH_VERSION-}}" '
        f'"${PREFIX}_q" "$-" "${line}"{last}'
    ).encode()


class Dialect(ABC):
    """How one family of shells is spoken to.

    Args:
        nonce: The session's nonce.
    """

    #: The family's name.
    name: ClassVar[str]
    #: Whether the shell evaluates what we type through a line editor when the terminal echoes.
    edits_lines: ClassVar[bool] = False

    #: Whether a DEBUG trap is sprung by a group, such as our own line.
    traps_groups: ClassVar[bool] = False
    #: Whether a plain state lasts.
    stays_plain: ClassVar[bool] = False
    #: Whether the begin mark comes before any complaint about the code.
    begins_first: ClassVar[bool] = False

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce

    @property
    def noise(self) -> tuple[bytes, ...]:
        """What the shell says at its prompt for a reason that is ours."""
        return ()

    @property
    @abstractmethod
    def repeated(self) -> tuple[bytes, ...]:
        """Lines of ours that a verbose shell prints though nobody typed them."""

    @abstractmethod
    def setup(self) -> list[bytes]:
        """Return the lines that define our function; sent once, after the hello."""

    @abstractmethod
    def prompts(self) -> list[bytes]:
        """Return the lines that make the prompts ours; each stands alone, as one may fail."""

    @abstractmethod
    def stage(self, data: bytes) -> list[bytes]:
        """Return the statements that put a cell's bytes into the staging variable."""

    @abstractmethod
    def run(self, seq: int, data: bytes, state: ShellState) -> str:
        """Return the words that write the begin mark, run the staged code, and write the end mark.

        In a plain state without the word that passes functions by, which is one itself now, and
        without the end mark.
        """

    @abstractmethod
    def check(self, closers: tuple[str, ...] = ()) -> str:
        """Return words that parse the staged code silently, without running it.

        Args:
            closers: Lines added to the code; plain words.

        Their status is 0 if it is whole. It may be another one though the code is good: it may
        need an option or an alias that it sets itself.
        """

    def cell(self, seq: int, data: bytes, state: ShellState) -> list[bytes]:
        """Return the lines to type for a cell.

        Args:
            seq: The cell's sequence number; a new one for each cell.
            data: The code, as :func:`~ctrkernel.protocol.encoding.code_bytes` gives it.
            state: What is known of the shell.
        """
        lines: list[bytes] = []
        if state.repair:
            lines += [self.typed(statement) for statement in self.repair(state)]
        if not state.finished:
            # After an open quote, bash 5.2 takes the next line's first word for no reserved word.
            lines.append(b"")
        if state.terminal_changed:
            lines.append(self.typed(f"command {TERMINAL}".encode(), state))
        if not state.prompts_intact:
            lines += self.prompts()
        statements = self.stage(data)
        gate = self.gate(seq, state)
        rest = f"; {self.run(seq, data, state)}".encode()
        line = self.typed(b"; ".join([*statements, gate.encode()]), state) + rest
        if len(line) > LINE_LIMIT:
            lines += [self.typed(statement, state) for statement in statements]
            line = self.typed(gate.encode(), state) + rest
        if lines:
            lines.append(self.first_line())
        return [*lines, line]

    def gate(self, seq: int, state: ShellState) -> str:
        """Return the words that tell the shell which cell this is, the last before the code."""
        words = [f"{PREFIX}_g={seq}"]
        if state.traced:
            words.append(f"{PREFIX}_t")
        if state.attended:
            # Nothing of ours is typed behind them, so nothing of it shows.
            words.append(f"command {ATTENDED}")
        return "; ".join(words)

    def first_line(self) -> bytes:
        """Return a line after which the cell's own lines are counted, where that can be had."""
        return self.typed(b":") + self.line_zero.encode()

    def refuse(self) -> str:
        """Return the words that say that the code is unfinished."""
        return f"{{ {self.echo_word} '{UNFINISHED}' >&2; (exit 2); }}"

    def end_words(self, seq: int) -> str:
        """Return the words that write the end mark, with the status of what stands before."""
        return f'{{ {PREFIX}_e {seq} "$?"; }} {SILENT}'

    def rescue(self, seq: int) -> bytes:
        """Return the line for a shell that is at its prompt and did not say so.

        It ends cell `seq` with the status of an interrupt, begun or not.
        """
        gate = self.typed(f"{PREFIX}_g={seq}".encode())
        return gate + f"; (exit 130); {self.end_words(seq)}".encode()

    def typed(self, words: bytes, state: ShellState | None = None) -> bytes:
        """Return a line of ours: silent, and out of the environment of the user's commands."""
        if state is not None and "a" in state.flags:
            switch = self.set_word.encode()
            words = b"%b +a; %b; %b -a" % (switch, words, switch)
        return b" { %b; } %b" % (words, SILENT.encode())

    def repair(self, state: ShellState) -> Sequence[bytes]:  # noqa: ARG002 - for some shells
        """Return statements that bring back what the user took and we cannot do without."""
        return ()

    def takes_words(self, data: bytes) -> bool:  # noqa: ARG002 - for some shells
        """Whether code seems to define the function that makes a plain state of the shell's."""
        return False

    #: How ``set`` is called so that nothing of the user's comes in between.
    set_word: ClassVar[str] = "set"
    #: Behind a redirection, makes the line that follows number 0; empty where nothing can.
    line_zero: ClassVar[str] = ""

    def joined(self, pieces: Sequence[bytes], quote: tuple[bytes, bytes]) -> list[bytes]:
        """Return the statements that assign `pieces`, quoted, to the staging variable."""
        whole, part = f"{PREFIX}_c".encode(), f"{PREFIX}_d".encode()
        if len(pieces) <= 1:
            return [b"%b=%b" % (whole, quote[0] + b"".join(pieces) + quote[1])]
        statements = [b"%b=; %b=" % (whole, part)]
        for index, piece in enumerate(pieces):
            statements.append(b"%b=$%b%b%b%b" % (part, part, quote[0], piece, quote[1]))
            if index % PIECES_PER_JOIN == PIECES_PER_JOIN - 1 or index == len(pieces) - 1:
                statements.append(b"%b=$%b$%b; %b=" % (whole, whole, part, part))
        return statements

    def mark(self, kind: Kind, arguments: str, *, word: str = "") -> str:
        """Return the words that write a mark to the terminal."""
        form = printf_format(kind, self.nonce)
        return f"{word or self.printf_word} '{form}' {arguments} >/dev/tty"

    #: How ``echo`` is called so that nothing of the user's comes in between.
    echo_word: ClassVar[str]
    #: How ``printf`` is called so that nothing of the user's comes in between.
    printf_word: ClassVar[str]


#: What the shell itself would only warn of, or not notice: it would run half of what was meant.
UNFINISHED: Final = (
    "ctrkernel: the cell is unfinished: a here-document or a loop has no end, "
    "or the cell ends in a backslash or an operator"
)


class EvaluatingDialect(Dialect):
    """A shell in which begin mark, code and a trailer are evaluated as one text.

    Only that text can see what is gone after it.
    """

    @property
    @abstractmethod
    def trailer(self) -> str:
        """The line after the code; it must not be able to close what the code left open."""

    @property
    def repeated(self) -> tuple[bytes, ...]:
        """The trailer."""
        return (self.trailer.encode(),)

    @abstractmethod
    def evaluate(self, state: ShellState, trailer: str) -> str:
        """Return the words that evaluate begin mark, staged code and `trailer`."""

    def run(self, seq: int, data: bytes, state: ShellState) -> str:
        """Evaluate; where the trailer might become a part of the code, only if that is whole."""
        run = self.evaluate(state, "" if state.plain else self.trailer)
        if may_be_unfinished(data):
            otherwise = self.evaluate(state, "")
            closers = open_ends(data)
            if closers is not None:
                otherwise = f"if {self.check(closers)}; then {self.refuse()}; else {otherwise}; fi"
            run = f"if {self.check()}; then {run}; else {otherwise}; fi"
        return run if state.plain else f"{run}; {self.end_words(seq)}"


_HEREDOC = re.compile(rb"<<-?[ \t]*[\\'\"]?([\w.+-]{1,40})")
_BRACKETS: Final = ((b"{", b"}"), (b"(", b")"), (b"[[", b"]]"))
_OPEN_END = re.compile(rb"(?:\||&&|\|&)\s*(?:#.*)?$")
#: Words and signs after which shells take a group in braces, such as our trailer, as a body.
TAKES_BODY = re.compile(
    rb"(?<![\w-])"
    rb"(?:while|until|for|foreach|repeat|select|case|if|function|coproc|time|always)"
    rb"(?![\w-])|\(\s*\)"
)


def may_be_unfinished(data: bytes) -> bool:
    """Whether the shell might take a line of ours after the code for a part of it.

    A wrong yes costs one more parse by the shell. Quotes need no care: our line holds none.
    """
    return (
        b"<<" in data.replace(b"<<<", b"")
        or TAKES_BODY.search(data) is not None
        or any(data.count(one) != data.count(other) for one, other in _BRACKETS)
        or any(
            line.endswith(b"\\") or _OPEN_END.search(line.rstrip()) for line in _last_lines(data)
        )
    )


def has_command(data: bytes) -> bool:
    """Whether a line of code is neither blank nor a comment."""
    return any(bare and not bare.startswith(b"#") for bare in map(bytes.strip, data.split(b"\n")))


def open_ends(data: bytes) -> tuple[str, ...] | None:
    """Return the lines that would end a backslash or here-documents, should any be open.

    None where there is neither.
    """
    delimiters = _HEREDOC.findall(data.replace(b"<<<", b""))[-CLOSERS_LIMIT:]
    lines = tuple(delimiter.decode("ascii") for delimiter in delimiters)
    if any(line.endswith(b"\\") for line in _last_lines(data)):
        return ("", *lines)
    return lines or None


def _last_lines(data: bytes) -> Iterator[bytes]:
    """Yield from the end the lines that look like comments, and the one before them."""
    for line in reversed(data.split(b"\n")):
        bare = line.strip()
        if bare:
            yield line
        if bare and not bare.startswith(b"#"):
            return
