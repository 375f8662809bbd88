"""``%ctr_config stderr=split``: the main shell's stderr as a stream of its own."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.kernel.stream import Publisher
    from ctrkernel.session.shell import ShellSession
    from ctrkernel.session.split import SplitStderr

#: Code that puts another shell in the place of ours: an interactive one takes the terminal that its
#: stderr is for the one that it works on.
_NEW_SHELL: Final = re.compile(r"\bexec\s+(?:-\S+\s+)*(?:\S*/)?(?:ba|z|da|a|k|mk)?sh\b")


class Stderr:
    """Keeps the main shell's stderr as it is set.

    Args:
        publisher: Shows what is written there.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._split: SplitStderr | None = None
        #: The shell whose stderr cannot be had.
        self._refused: ShellSession | None = None

    async def prepare(self, workspace: Workspace, session: ShellSession, code: str) -> None:
        """Bring the shell to what is set, before it is given `code`."""
        wanted = workspace.settings.known("stderr") == "split" and session is not self._refused
        if not wanted and self._split is None:
            return
        split = self._split
        on = wanted and _NEW_SHELL.search(code) is None
        if (
            split is not None
            and wanted
            and split.session is session
            and split.alive
            and split.on is on
        ):
            split.fit()
            return
        await asyncio.to_thread(self._change, workspace, session, wanted=wanted, on=on)

    async def settle(self) -> None:
        """Wait until what the last code wrote has been shown."""
        if self._split is not None:
            await asyncio.to_thread(self._split.settle)

    def tidy(self, workspace: Workspace) -> None:
        """End what belongs to a shell that is the notebook's no more."""
        if self._split is not None and self._split.session is not workspace.session:
            self.close()

    def close(self) -> None:
        """Have stderr where stdout is, and end what it needed."""
        split, self._split = self._split, None
        if split is not None:
            split.close()

    def _change(
        self, workspace: Workspace, session: ShellSession, *, wanted: bool, on: bool
    ) -> None:
        from ctrkernel.session.split import SplitStderr  # noqa: PLC0415 - few notebooks want it

        split = self._split
        try:
            if split is not None and (
                not wanted or split.session is not session or not split.alive
            ):
                self.close()
                split = None
            if not wanted or (split is None and not on):
                return
            if split is not None:
                split.switch(on=on)
                return
            if not session.shell.startswith("bash"):
                self._refuse(session, f"{session.shell} cannot have its stderr told apart")
                return

            def show(text: str) -> None:
                workspace.recorder.shown(session, text)
                # A prompt is often there.
                session.talker.dialogue.overhear(text)
                self._publisher.stderr(text)

            split = SplitStderr(session, on_text=show, mask=workspace.mask)
            split.begin()
            self._split = split
        except CtrKernelError as error:
            self._refuse(session, f"stderr is not told apart: {error}")

    def _refuse(self, session: ShellSession, line: str) -> None:
        self._refused = session
        self._publisher.notice(f"{line}; it stays with stdout in this shell")
