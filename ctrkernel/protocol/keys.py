r"""Keys by name, as tmux and Emacs write them, and the bytes that a terminal sends for them.

``C-c`` and ``^C`` are Control, ``M-x`` is Alt (Escape before the key, as xterm's metaSendsEscape
does), ``S-`` is Shift where a key has another meaning with it. Named keys send what xterm sends in
its normal mode (ctlseqs, "PC-Style Function Keys").
"""

from __future__ import annotations

import difflib
import re
from typing import Final

from ctrkernel.errors import UsageError, one_line

ESC: Final = b"\x1b"
#: Keys that send one byte.
_PLAIN: Final = {
    "Enter": b"\r",
    "Tab": b"\t",
    "Escape": ESC,
    "Space": b" ",
    "BSpace": b"\x7f",
}
#: Keys that send ``CSI 1 ; modifiers`` and this letter; without modifiers the letter alone.
_LETTERED: Final = {"Up": "A", "Down": "B", "Right": "C", "Left": "D", "Home": "H", "End": "F"}
#: Keys that send ``CSI`` number ``; modifiers ~``.
_NUMBERED: Final = {
    "Insert": 2,
    "Delete": 3,
    "PageUp": 5,
    "PageDown": 6,
    "F5": 15,
    "F6": 17,
    "F7": 18,
    "F8": 19,
    "F9": 20,
    "F10": 21,
    "F11": 23,
    "F12": 24,
}
#: Keys that send ``SS3`` and this letter; with modifiers as those with a letter.
_FUNCTIONS: Final = {"F1": "P", "F2": "Q", "F3": "R", "F4": "S"}
#: Other names of the same keys: tmux's, Emacs's, and those on keyboards.
_ALIASES: Final = {
    "return": "Enter",
    "ret": "Enter",
    "esc": "Escape",
    "spc": "Space",
    "backspace": "BSpace",
    "del": "Delete",
    "dc": "Delete",
    "ic": "Insert",
    "ins": "Insert",
    "ppage": "PageUp",
    "pgup": "PageUp",
    "npage": "PageDown",
    "pgdn": "PageDown",
    "btab": "S-Tab",
}
_NAMES: Final = {name.lower(): name for name in (*_PLAIN, *_LETTERED, *_NUMBERED, *_FUNCTIONS)}
_MODIFIED: Final = re.compile(r"((?:[CMS]-)*)(.+)", re.DOTALL)
#: xterm's numbers for modifiers: one and the sum of these.
_MODIFIERS: Final = {"S": 1, "M": 2, "C": 4}


def key_bytes(name: str) -> bytes:
    r"""Return what a terminal sends for the key `name`.

    Args:
        name: ``C-c``, ``^D``, ``Escape``, ``Tab``, ``S-Tab``, ``Up``, ``F1``, ``M-x``, ``C-Left``,
            or one character, which stands for itself.

    Raises:
        UsageError: There is no such key; the message names the nearest.
    """
    if len(name) == 2 and name[0] == "^":  # noqa: PLR2004
        name = f"C-{name[1]}"
    match = _MODIFIED.fullmatch(name)
    if match is None:
        raise _unknown(name)
    modifiers, base = set(match[1].replace("-", "")), match[2]
    if len(base) > 1:
        base = _ALIASES.get(base.lower(), base)
        if base == "S-Tab":
            modifiers, base = modifiers | {"S"}, "Tab"
        if base.lower() not in _NAMES:
            raise _unknown(name)
        base = _NAMES[base.lower()]
    number = 1 + sum(_MODIFIERS[each] for each in modifiers)
    if base in _LETTERED or base in _FUNCTIONS:
        letter = _LETTERED.get(base) or _FUNCTIONS[base]
        if number > 1:
            return f"\x1b[1;{number}{letter}".encode()
        return f"\x1b{'[' if base in _LETTERED else 'O'}{letter}".encode()
    if base in _NUMBERED:
        return f"\x1b[{_NUMBERED[base]}{f';{number}' if number > 1 else ''}~".encode()
    before = ESC if "M" in modifiers else b""
    return before + _character(name, base, modifiers)


def _character(name: str, base: str, modifiers: set[str]) -> bytes:
    if base == "Tab" and "S" in modifiers:
        return b"\x1b[Z"
    data = _PLAIN.get(base) or base.encode("utf-8", "surrogateescape")
    if "C" not in modifiers:
        return data.upper() if "S" in modifiers and len(data) == 1 else data
    if base in ("?", "BSpace"):
        return b"\x7f" if base == "?" else b"\x08"
    if base in ("Space", "@"):
        return b"\0"
    # The control characters are the columns of ASCII from @ to _, less bit 6.
    if len(data) == 1 and b"@" <= data.upper() <= b"_":
        return bytes([data.upper()[0] & 0x1F])
    raise _unknown(name)


def _unknown(name: str) -> UsageError:
    known = [*_NAMES.values(), *(f"C-{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    near = next(iter(difflib.get_close_matches(name, known, n=1)), "")
    hint = f"did you mean {near}?" if near else "use C-c, C-d, Escape, Tab, Enter, Up, F1, M-x"
    return UsageError(f"{one_line(name, limit=40)!r} is no key's name; {hint}")
