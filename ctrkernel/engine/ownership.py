"""A container that goes when its owner goes, however that ended."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from ctrkernel.engine.lifecycle import WORK_TIMEOUT, remove_words
from ctrkernel.engine.reaper import Reaper

if TYPE_CHECKING:
    from ctrkernel.engine.engine import Engine

#: The label of every container that we made; its value is its owner's, and nobody else's.
LABEL = "ctrkernel.owner"
#: Those that nobody released yet: whoever lets go of a container's object, and keeps a shell of it
#: or nothing at all, has not closed the container.
_HELD: set[Ownership] = set()
#: What the reaper runs: the engine's program, the label, and the words that remove.
_REMOVE = r"""
engine=$0 label=$1; shift
ids=$("$engine" ps --all --quiet --no-trunc --filter "label=$label") || exit
[ -z "$ids" ] || exec "$engine" "$@" $ids
"""


class Ownership:
    """Removes what carries its label, anonymous volumes included, when it is released.

    It is there before the container is: nothing is left however far a creation came. What is
    removed is told by the label and never by a name, which may be somebody else's by now.

    Args:
        engine: The engine's command line.
    """

    def __init__(self, engine: Engine) -> None:
        self.label = f"{LABEL}={secrets.token_hex(8)}"
        words = remove_words(engine, force=True, volumes=True)
        self._reaper = Reaper(
            ["sh", "-c", _REMOVE, engine.program, self.label, *words], environ=os.environ
        )
        _HELD.add(self)

    @property
    def life(self) -> int:
        """A descriptor for the child that creates the container; see :attr:`Reaper.life`."""
        return self._reaper.life

    def dismiss(self) -> None:
        """Leave the container where it is."""
        _HELD.discard(self)
        self._reaper.dismiss()

    def release(self) -> None:
        """Remove it now, in the background."""
        _HELD.discard(self)
        self._reaper.release()

    def wait(self, timeout: float = WORK_TIMEOUT) -> bool:
        """Wait until it is removed; whether it was in time.

        Args:
            timeout: Seconds.
        """
        return self._reaper.wait(timeout)

    def remove(self) -> None:
        """Remove it and wait for that."""
        self.release()
        self.wait()
