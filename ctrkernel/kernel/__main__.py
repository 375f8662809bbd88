"""``python -m ctrkernel.kernel -f CONNECTION_FILE``, as the kernel specification runs it."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Start the shell, and load Jupyter's half while it comes up."""
    # An interrupt that comes before there is a cell must not end the kernel.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    from ctrkernel.commands.workspace import Workspace  # noqa: PLC0415 - after the signal

    workspace = Workspace(os.environ)
    workspace.begin()

    from ctrkernel.kernel.app import launch  # noqa: PLC0415 - the shell starts meanwhile

    launch(workspace)


if __name__ == "__main__":
    main()
