"""Values that must not be seen: kept in one place, and taken out of all text that is shown."""

from __future__ import annotations

import html
import json
import threading
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What stands in a value's place.
DOTS: Final = "••••"
#: Characters below which a value, or a line of one, is not masked: it would hide half of all text.
SHORTEST: Final = 4
#: What the shells put a backslash before, outside of quotes; bash's ``printf %q`` and ``set -x``.
_SPECIAL: Final = frozenset(" \t!\"#$&'()*,;<=>?[\\]^`{|}~")

#: The first byte that is not ASCII.
_META: Final = 0x80


class Secret:
    """A value that no repr, pickle or traceback of ours shows.

    Args:
        value: The value.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return DOTS

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written to a file")

    def reveal(self) -> str:
        """Return the value, for the one place that hands it on."""
        return self._value


class Mask:
    """Takes values out of text; thread-safe, and free as long as there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Replaced, never changed, so that it is read without the lock.
        self._values: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Mask of {len(self._values)} values>"

    def __bool__(self) -> bool:
        """Whether there is anything to hide."""
        return bool(self._values)

    def add(self, secret: Secret) -> None:
        """Hide a value from now on, also as shells and JSON quote it; of several lines, each.

        Lines shorter than :data:`SHORTEST` characters stay visible.
        """
        forms = {
            form
            for line in secret.reveal().splitlines()
            for form in _forms(line)
            if len(form) >= SHORTEST
        }
        with self._lock:
            self._values = tuple(sorted({*self._values, *forms}, key=len, reverse=True))

    def hide(self, text: str) -> str:
        """Return `text` with dots in place of every value."""
        return Masking(self).feed(text, final=True) if self._values else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where values stand in `text`, in order; those that overlap are one."""
        found = sorted(
            (at, at + len(value)) for value in self._values for at in _occurrences(value, text)
        )
        joined: list[tuple[int, int]] = []
        for start, end in found:
            if joined and start < joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return joined

    def open_from(self, text: str) -> int:
        """Return where the longest end of `text` begins that more text could make a value."""
        return min((_open_from(value, text) for value in self._values), default=len(text))


class Masking:
    """One stream of text on its way through a mask.

    The end of the text is held back while it may be the beginning of a value: as little as that
    takes, until more comes or :meth:`release` lets it go.

    Args:
        mask: Values may be added to it at any time.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        #: The text that may be the beginning of a value.
        self._open = ""
        #: How much of it was shown, plainly or under dots.
        self._shown = 0
        #: How much of it is covered by dots that were shown.
        self._dotted = 0
        #: Whether its plain beginning was let go.
        self._released = False

    @property
    def held(self) -> bool:
        """Whether text is held back that :meth:`release` would give.

        What goes on with a text that was let go is a value for sure as far as anybody can tell:
        it is held until it is seen how it ends.
        """
        return self._shown < len(self._open) and not self._released

    def feed(self, text: str, *, final: bool = False) -> str:
        """Take text and return what may be shown.

        Args:
            text: What came.
            final: Nothing follows, so nothing is held back.
        """
        if not self._mask and not self._open:
            return text
        whole = self._open + text
        border = len(whole) if final else self._mask.open_from(whole)
        shown = self._show(whole, border)
        self._open = whole[border:]
        # A longer beginning than the one that was let go is not let go again.
        self._released = self._released and self._shown > border
        self._shown, self._dotted = self._shown - border, max(0, self._dotted - border)
        return shown

    def release(self) -> str:
        """Return what was held back; if it was the beginning of a value, the rest stays hidden."""
        if not self.held:
            return ""
        self._released = True
        return self._show(self._open, len(self._open))

    def _show(self, whole: str, border: int) -> str:
        """Return what of `whole` is to be shown now: all up to `border` that was not yet."""
        shown, dotted, pieces = self._shown, self._dotted, []
        for start, end in self._mask.spans(whole):
            if start >= border:
                break
            pieces.append(whole[shown : max(start, shown)])
            if start >= dotted and end > shown:
                pieces.append(DOTS)
            shown, dotted = max(shown, end), max(dotted, end)
        pieces.append(whole[shown : max(border, shown)])
        self._shown, self._dotted = max(border, shown), dotted
        return "".join(pieces)


def _forms(line: str) -> Iterator[str]:
    """Yield a line as it is, and as programs write it that quote what they print."""
    yield line
    yield line.strip()
    # bash: 'it'\''s'; busybox and Python: 'it'"'"'s'; `declare -p`: "a\$b"; `printf %q`: a\ b.
    yield line.replace("'", "'\\''")
    yield line.replace("'", "'\"'\"'")
    yield "".join(f"\\{each}" if each in '"$\\`' else each for each in line)
    yield "".join(f"\\{each}" if each in _SPECIAL else each for each in line)
    # $'…', whose bytes above 127 bash and zsh each write in a way of its own.
    escaped = line.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t")
    yield escaped
    data = escaped.encode(errors="surrogateescape")
    yield "".join(chr(byte) if byte < _META else f"\\{byte:o}" for byte in data)
    yield "".join(chr(byte) if byte < _META else f"\\M-{chr(byte - _META)}" for byte in data)
    yield html.escape(line)
    yield json.dumps(line)[1:-1]
    yield json.dumps(line, ensure_ascii=False)[1:-1]


def _occurrences(value: str, text: str) -> Iterator[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + 1)


def _open_from(value: str, text: str) -> int:
    at = text.find(value[0], max(0, len(text) - len(value) + 1))
    while at >= 0:
        if value.startswith(text[at:]):
            return at
        at = text.find(value[0], at + 1)
    return len(text)
