r"""The marks that the shell writes between its output: semantic prompts, OSC 133.

A mark is one operating system command of the terminal grammar (ECMA-48, section 8.3.89), in the
family that FinalTerm began and most terminals know as semantic prompts::

    ESC ] 133 ; KIND ; NONCE ; field ; field … ; NONCE BEL

The nonce is random for each session, so a program cannot write a mark by accident. It stands at
both ends because the last field, a directory's name, may hold any byte but NUL, BEL included.
BEL ends it and not ESC \\, whose backslash busybox eats in a prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

#: Escape, which begins every control sequence.
ESC = b"\x1b"
#: Bell, which ends a mark.
BEL = b"\x07"
#: How every semantic prompt begins.
INTRODUCER = ESC + b"]133;"


class Kind(Enum):
    """What a mark says; the letters A, C and D are the ones that semantic prompts use."""

    #: The shell shows a prompt. Fields: gate, begun, status, flags, cwd.
    PROMPT = b"A"
    #: The shell is about to show a prompt; from PROMPT_COMMAND. Fields as for PROMPT.
    PRECMD = b"P"
    #: The cell's code begins. Fields: sequence number.
    BEGIN = b"C"
    #: The line came to its end. Fields: sequence number, the last one begun, the line's status, the
    #: code's own (empty where it did not come to its end), its pipe status, flags, whether the
    #: prompts are still ours, whether stdin is a terminal, cwd and home with HOME_MARK between.
    END = b"D"
    #: What follows, up to BEGIN, is the shell's own trace of our line. Fields: sequence number.
    GATE = b"G"
    #: The shell answers for the first time. Fields: pid, bash version, zsh version, stty's
    #: status, flags, the process's line in ``/proc``.
    HELLO = b"H"


#: Stands between the two directories of an END mark.
HOME_MARK = b"\x01"

#: How many fields a mark of each kind has; the last one may hold semicolons.
FIELDS = {
    Kind.PROMPT: 5,
    Kind.PRECMD: 5,
    Kind.BEGIN: 1,
    Kind.END: 9,
    Kind.GATE: 1,
    Kind.HELLO: 6,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark.

    Attributes:
        kind: What it says.
        fields: As many as :data:`FIELDS` names for this kind.
        raw: The bytes as they came, for the case that it is to be shown as text after all.
        onlcr: For END, which a newline follows: whether the terminal made it CR LF.
    """

    kind: Kind
    fields: tuple[bytes, ...]
    raw: bytes
    onlcr: bool = False

    def number(self, index: int) -> int | None:
        """Return the field at `index` as a whole number, or None where it is not one."""
        field = self.fields[index]
        return int(field) if field.isdigit() and len(field) <= 9 else None  # noqa: PLR2004


def split_fields(kind: Kind, body: bytes) -> tuple[bytes, ...] | None:
    """Split a mark's body into its fields, or return None where there are too few."""
    count = FIELDS[kind]
    fields = tuple(body.split(b";", count - 1))
    return fields if len(fields) == count else None


def printf_format(kind: Kind, nonce: str) -> str:
    r"""Return the ``printf`` format that writes a mark, a ``%s`` for each field and directory.

    END is followed by a newline: whether it arrives as LF or CR LF tells how the terminal
    treats every other newline, at no cost.
    """
    slots = ";".join(["%s"] * FIELDS[kind])
    newline = ""
    if kind is Kind.END:
        slots += r"\001%s"
        newline = r"\n"
    return rf"\033]133;{kind.value.decode()};{nonce};{slots};{nonce}\007{newline}"
