"""What completion offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may stand in place of what was typed.

    Attributes:
        text: The whole of it, quoted.
        kind: ``magic``, ``option``, ``choice``, or the value of a
            :class:`~ctrkernel.commands.command.Completes`; in shell code ``command``, ``builtin``,
            ``keyword``, ``function``, ``alias``, ``variable``, ``file``, ``directory``, ``user``,
            ``option``, ``argument``.
    """

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Completion:
    """Candidates for a part of a text.

    Attributes:
        start: Where that part begins.
        end: Where it ends: the cursor.
        candidates: The first letters are those of that part.
    """

    start: int
    end: int
    candidates: tuple[Candidate, ...]
