"""What a cell's output asks of a front end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class View(Protocol):
    """Where a cell's output is shown; called by one thread at a time."""

    def stream(self, text: str) -> None:
        """Show text as it is."""

    def send(self, kind: str, content: Mapping[str, Any]) -> None:
        """Send a Jupyter message."""

    @property
    def behind(self) -> bool:
        """Whether messages wait; then pictures do too."""
