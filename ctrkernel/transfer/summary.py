"""What a transfer did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferSummary:
    """A transfer that is complete.

    Args:
        files: Regular files that were written; folders and links are not counted.
        bytes: Of their content.
        duration: Seconds.
        destination: Where they are: ``web:/srv/data``, or a path on this machine.
        notes: What the reader should know, a line each: what was left out and why.
    """

    files: int
    bytes: int
    duration: float
    destination: str
    notes: tuple[str, ...] = ()
