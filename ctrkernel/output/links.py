"""Links in text: OSC 8, the hyperlinks of terminals.

A notebook's text has no links of that kind, but makes one of an address that stands in it. So the
address is put behind the words, unless they name it, or it is one that leads nowhere from here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ctrkernel.output.sequences import String

#: Addresses that lead somewhere from a notebook.
_ADDRESS: Final = re.compile(r"(?:https?://|mailto:)[\x21-\x7e]{1,2000}")
#: Characters of the words that are kept.
_WORDS_LIMIT: Final = 4000


class Links:
    """Follows the links in one cell's text."""

    def __init__(self) -> None:
        self._address = ""
        self._words = ""

    def see(self, text: str) -> None:
        """Take note of text that is shown."""
        if self._address and len(self._words) < _WORDS_LIMIT:
            self._words += text[:_WORDS_LIMIT]

    def take(self, string: String) -> str | None:
        """Return what is to be put behind a link's words; None if the string is none."""
        if string.opening != "]" or not string.body.startswith("8;"):
            return None
        address, self._address = self._address, ""
        words, self._words = self._words, ""
        following = string.body[2:].partition(";")[2]
        if following == address:
            # A link may be told anew for each part of its words.
            self._address, self._words = address, words
            return ""
        if _ADDRESS.fullmatch(following):
            self._address = following
        if not address or address.removeprefix("mailto:") in words:
            return ""
        return f" ({address})"
