"""Words that are no UTF-8 on their way into a container: names of files may be any bytes.

Engines pass a program's words on as JSON, in which such bytes become U+FFFD: another name. A shell
in the container makes them again from escapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What Python makes of bytes that are no UTF-8 (PEP 383).
_UNDECODABLE: Final = re.compile("[\udc80-\udcff]")
#: Decodes the words that have a backslash and becomes the program; the dot keeps newlines.
_SCRIPT: Final = r"""
for w; do
  shift
  case $w in *\\*) w=$(printf '%b.' "$w") w=${w%.} ;; esac
  set -- "$@" "$w"
done
exec "$@"
"""


def is_utf8(name: str) -> bool:
    """Whether a name comes through the engine as it is."""
    return _UNDECODABLE.search(name) is None


def passable(argv: Sequence[str]) -> Sequence[str]:
    """Return what runs `argv` in a container; another argv only where a word is no UTF-8."""
    if all(is_utf8(word) for word in argv):
        return argv
    return ["sh", "-c", _SCRIPT, "sh", *(_escaped(word) for word in argv)]


def _escaped(word: str) -> str:
    whole = word.replace("\\", "\\\\")
    return _UNDECODABLE.sub(lambda found: f"\\0{ord(found[0]) - 0xDC00:03o}", whole)
