"""A value in an engine's inspect document, named by a dotted path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctrkernel.errors import UsageError, name_list, one_line


def at_path(document: Any, path: str) -> Any:
    """Return what `document` holds at `path`.

    Keys may hold dots themselves (labels do): the longest key that fits is taken.

    Args:
        document: Mappings, sequences and plain values.
        path: Keys and positions, joined by dots, such as ``Mounts.0.Source``; empty for all.

    Raises:
        UsageError: There is no such path; the message names what is there.
    """
    here, done, words = document, "", path.split(".") if path else []
    while words:
        taken, value = _step(here, words)
        if not taken:
            raise UsageError(_nothing(here, done, words[0]))
        done = ".".join([*filter(None, [done]), *words[:taken]])
        here, words = value, words[taken:]
    return here


def _step(here: Any, words: Sequence[str]) -> tuple[int, Any]:
    """Return how many words name something in `here`, and what; 0 if none does."""
    if isinstance(here, Mapping):
        for count in range(len(words), 0, -1):
            key = ".".join(words[:count])
            if key in here:
                return count, here[key]
    elif isinstance(here, list) and words[0].isdecimal() and int(words[0]) < len(here):
        return 1, here[int(words[0])]
    return 0, None


def _nothing(here: Any, done: str, word: str) -> str:
    where = done or "the document"
    shown = repr(one_line(word, limit=80))
    if isinstance(here, Mapping):
        there = f"it has {name_list(list(here), most=40)}" if here else "it is empty"
    elif isinstance(here, list):
        last = len(here) - 1
        there = f"its positions are 0 to {last}" if here else "it is an empty list"
    else:
        there = f"it is the value {one_line(str(here), limit=80)!r}"
    return f"no {shown} in {where}; {there}"
