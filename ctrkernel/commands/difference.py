"""What is different, as text, in colour and as a value."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ctrkernel.commands.filetype import printable
from ctrkernel.output.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ctrkernel.transfer.compare import Comparison, Fingerprint

#: A step from one text to the other, as difflib has it.
_Code: TypeAlias = tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]

#: Lines around a change.
CONTEXT: Final = 3
#: Lines of a difference that are shown.
SHOWN: Final = 2000
#: Names of a folder's difference that are shown of each kind.
NAMES: Final = 200
#: Lines, once what is the same at both ends is off, that are still compared one by one: the time
#: may grow with the product of both sides.
LINES: Final = 20_000
#: Digits of a checksum that are shown.
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Difference:
    """What ``%ctr_diff`` found.

    Attributes:
        here: The path on this machine.
        there: The place in the container.
        text: What is different, for a person.
        same: Nothing is different.
        only_here: Names that the container's folder lacks.
        only_there: Names that the folder here lacks.
        differ: Names that are on both sides and not the same, with the reason.
        terminal: Colour it for a terminal.
    """

    here: str
    there: str
    text: str
    same: bool
    only_here: tuple[str, ...] = ()
    only_there: tuple[str, ...] = ()
    differ: dict[str, str] = field(default_factory=dict)
    terminal: bool = False

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return not self.same

    def __repr__(self) -> str:
        return self.text.removesuffix("\n")

    def _repr_html_(self) -> str:
        """The same in colours; called by IPython."""
        from ctrkernel.commands.highlight import as_html, lexer_named  # noqa: PLC0415 - a fast start

        return as_html(self.text, lexer_named("diff"))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        """The same for a terminal; called by IPython."""
        text = self.text
        if self.terminal:
            from ctrkernel.commands.highlight import for_terminal, lexer_named  # noqa: PLC0415

            text = for_terminal(text, lexer_named("diff"))
        printer.text(text.removesuffix("\n"))


def of_texts(here: str, there: str, *, names: tuple[str, str]) -> str | None:
    """Return the unified difference of two texts; empty where there is none.

    Args:
        here: One text.
        there: The other.
        names: What they are called.

    Returns:
        None if they differ too much to be compared line by line.
    """
    if here == there:
        return ""
    mine, theirs = _lines(here), _lines(there)
    head = _common(mine, theirs)
    tail = _common(mine[head:][::-1], theirs[head:][::-1])
    middle = mine[head : len(mine) - tail], theirs[head : len(theirs) - tail]
    if max(map(len, middle)) > LINES:
        return None
    codes = difflib.SequenceMatcher(None, *middle, autojunk=True).get_opcodes()
    # The matcher sees only the middle; the ends are put back for the context around it.
    whole: list[_Code] = [
        ("equal", 0, head, 0, head),
        *((tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in codes),
        ("equal", len(mine) - tail, len(mine), len(theirs) - tail, len(theirs)),
    ]
    whole = [code for code in whole if code[0] != "equal" or code[1] < code[2]]
    lines = [f"--- {names[0]}\n", f"+++ {names[1]}\n"]
    for group in _Known(whole).get_grouped_opcodes(CONTEXT):
        lines += _hunk(group, mine, theirs)
        if len(lines) > SHOWN:
            lines = [*lines[:SHOWN], f"… and more; only the first {SHOWN:,} lines are shown\n"]
            break
    if len(lines) == 2:  # noqa: PLR2004 - the two heads: the same once it can be printed
        return None
    return "".join(lines)


def of_fingerprints(mine: Fingerprint, theirs: Fingerprint, *, names: tuple[str, str]) -> str:
    """Return the sizes and checksums of two files that are not shown line by line."""
    sides = (("-", names[0], mine), ("+", names[1], theirs))
    return "".join(
        f"{sign} {name}: {format_size(each.size)} ({each.size:,} bytes), "
        f"sha256 {each.sha256[:_DIGITS]}…\n"
        for sign, name, each in sides
    )


def of_folders(found: Comparison, *, names: tuple[str, str]) -> str:
    """Return what is only on one side, and what differs."""
    lines = []
    for sign, side, listed in (
        ("-", names[0], found.only_here),
        ("+", names[1], found.only_there),
    ):
        lines += [f"{sign} only in {side}: {_printed(name)}\n" for name in listed[:NAMES]]
        lines += _more(listed)
    differ = [f"! {_printed(name)}: {reason}\n" for name, reason in found.differ.items()]
    lines += [*differ[:NAMES], *_more(differ)]
    return "".join(lines)


class _Known(difflib.SequenceMatcher[str]):
    """Groups what is known already."""

    def __init__(self, codes: list[_Code]) -> None:
        super().__init__(None, "", "")
        self._codes = codes

    def get_opcodes(self) -> list[_Code]:
        """Return what is known."""
        return self._codes


def _lines(text: str) -> list[str]:
    """Split at newlines alone, each kept; a carriage return shows."""
    *whole, rest = printable(text.replace("\r\n", "␍\n")).split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the lines that both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _hunk(
    group: Sequence[tuple[str, int, int, int, int]], mine: Sequence[str], theirs: Sequence[str]
) -> Iterator[str]:
    first, last = group[0], group[-1]
    yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
    for tag, a, b, c, d in group:
        if tag == "equal":
            yield from (_line(" ", line) for line in mine[a:b])
            continue
        yield from (_line("-", line) for line in mine[a:b])
        yield from (_line("+", line) for line in theirs[c:d])


def _line(sign: str, line: str) -> str:
    if line.endswith("\n"):
        return sign + line
    return f"{sign}{line}\n\\ No newline at end of file\n"


def _range(start: int, stop: int) -> str:
    """Return a range of lines as the unified format has it."""
    count = stop - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _printed(name: str) -> str:
    return printable(name.encode("utf-8", "replace").decode()).replace("\n", "␊")


def _more(listed: Sequence[str]) -> list[str]:
    return [f"… and {len(listed) - NAMES:,} more\n"] if len(listed) > NAMES else []
