"""``python -m ctrkernel.kernel -f CONNECTION_FILE``, as the kernel specification runs it."""

from __future__ import annotations

import os

from ctrkernel.commands.workspace import Workspace


def main() -> None:
    """Start the shell, and load Jupyter's half while it comes up."""
    workspace = Workspace(os.environ)
    workspace.begin()

    from ctrkernel.kernel.app import launch  # noqa: PLC0415 - the shell starts meanwhile

    launch(workspace)


if __name__ == "__main__":
    main()
