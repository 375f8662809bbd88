"""Lines that a person enters at a prompt, edited on this machine by prompt_toolkit."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app, in_terminal
from prompt_toolkit.data_structures import Size
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output.vt100 import Vt100_Output

from ctrkernel.protocol.open_code import is_open

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.key_binding import KeyPressEvent

#: Shown before each further line of code that is open.
_CONTINUED = "> "


class LineEditor:
    """Reads code line by line, with a history; more lines while a shell would ask for them."""

    def __init__(self) -> None:
        bindings = KeyBindings()
        bindings.add("enter")(_enter)
        self._prompt: PromptSession[str] = PromptSession(
            history=InMemoryHistory(),
            key_bindings=bindings,
            multiline=True,
            prompt_continuation=lambda *_: _CONTINUED,
            enable_open_in_editor=False,
            # Not asked where the cursor is: an answer that comes late would be the command's.
            output=Vt100_Output(sys.stdout, _size, term=os.environ.get("TERM"), enable_cpr=False),
        )

    def read(
        self, prompt: str, *, descriptor: int, on_ready: Callable[[], bytes | None]
    ) -> str | None:
        """Return what was entered; "" after Ctrl-C, None after Ctrl-D.

        Args:
            prompt: Shown before the first line.
            descriptor: Watched meanwhile.
            on_ready: Called when it can be read from; returns what to show above the prompt, or
                None to end the wait as Ctrl-D does.
        """

        async def show(data: bytes) -> None:
            async with in_terminal():
                get_app().output.write_raw(data.decode(errors="replace"))
                get_app().output.flush()

        def ready() -> None:
            shown = on_ready()
            application = self._prompt.app
            if shown is None:
                asyncio.get_running_loop().remove_reader(descriptor)
                application.exit(exception=EOFError)
            elif shown:
                application.create_background_task(show(shown))

        def watch() -> None:
            asyncio.get_running_loop().add_reader(descriptor, ready)

        try:
            return self._prompt.prompt(prompt, pre_run=watch, in_thread=_has_loop())
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None


def _size() -> Size:
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    # A terminal that does not know has none of either.
    return Size(rows=rows or 24, columns=columns or 80)


def _enter(event: KeyPressEvent) -> None:
    buffer = event.current_buffer
    last = buffer.document.current_line
    if is_open(buffer.text) and (last.strip() or "\n" not in buffer.text):
        buffer.insert_text("\n")
    else:
        buffer.validate_and_handle()


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
