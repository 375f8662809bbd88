"""Questions that are answered while a cell runs: completion, inspection and their kin.

ipykernel takes one message of a (sub)shell at a time, so a question would wait for the cell. Ours
need no shell that is at its prompt, and the loop is free while a cell runs.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ipykernel.kernelbase import Kernel

#: The requests that change nothing and wait for nothing.
QUESTIONS: Final = frozenset(
    (
        *("comm_info_request", "complete_request", "history_request", "inspect_request"),
        *("is_complete_request", "kernel_info_request"),
    )
)


async def answer_meanwhile(kernel: Kernel, subshell_id: str | None, message: Any) -> bool:
    """Answer a message if it is such a question and something runs; whether it was.

    Args:
        kernel: Called in the thread of the subshell.
        subshell_id: None for the main shell.
        message: As it came from the socket.
    """
    lock, threads = _lock(kernel, subshell_id), getattr(kernel, "shell_channel_thread", None)
    session = kernel.session
    if lock is None or not lock.locked() or threads is None or session is None:
        return False
    try:
        idents, frames = session.feed_identities(message, copy=False)
        header = session.deserialize(frames, content=False, copy=False)["header"]
    except (ValueError, TypeError):
        # ipykernel says what is wrong with it.
        return False
    kind = header.get("msg_type")
    if kind not in QUESTIONS or kind not in kernel.shell_handlers:
        return False
    parent = session.deserialize(frames, content=True, copy=False)
    stream = threads.manager.get_subshell_to_shell_channel_socket(subshell_id)
    running = kernel.get_parent("shell")  # type: ignore[no-untyped-call]
    _tell(kernel, "busy", parent)
    try:
        answered = kernel.shell_handlers[kind](stream, idents, parent)
        if inspect.isawaitable(answered):
            await answered
    except Exception:
        # As ipykernel does with what a handler raises.
        kernel.log.exception("%s could not be answered", kind)
    finally:
        _tell(kernel, "idle", parent)
        if lock.locked():
            # Front ends show what they heard last: the cell is still running.
            _tell(kernel, "busy", running)
    return True


def _tell(kernel: Kernel, state: str, parent: Any) -> None:
    kernel._publish_status(state, "shell", parent)  # type: ignore[no-untyped-call]  # noqa: SLF001 - a subclass's


def _lock(kernel: Kernel, subshell_id: str | None) -> Any:
    """Return what ipykernel holds while a message of a subshell is handled."""
    if subshell_id is None:
        return getattr(kernel, "_main_asyncio_lock", None)
    return kernel.shell_channel_thread.manager.get_subshell_asyncio_lock(subshell_id)
