"""The kernel's process: sockets, threads and signals are ipykernel's."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, ClassVar

from ipykernel.kernelapp import IPKernelApp

from ctrkernel.kernel.kernel import ContainerShellKernel

if TYPE_CHECKING:
    from types import FrameType

    from ctrkernel.commands.workspace import Workspace

#: Seconds that the control thread may take to send what a shutdown request still causes.
CONTROL_END = 2.0


class ContainerShellApp(IPKernelApp):
    """ipykernel's application around our kernel."""

    name = "ctrkernel"
    # Nothing is printed through Python's stdout, and flushing it twice a cell waits for a thread.
    outstream_class = None  # type: ignore[assignment]
    workspace: ClassVar[Workspace]

    def init_signal(self) -> None:
        """Make SIGINT, which a client sends to interrupt, reach the running cell."""

        def interrupt(_signum: int, _frame: FrameType | None) -> None:
            kernel = getattr(self, "kernel", None)
            if kernel is not None:
                kernel.interrupted()

        signal.signal(signal.SIGINT, interrupt)

    def init_kernel(self) -> None:
        """Give the kernel what it works in."""
        super().init_kernel()  # type: ignore[no-untyped-call]
        self.kernel.use(self.workspace)

    def close(self) -> None:
        """End the control thread before the sockets that it sends by; called at exit.

        It still tells that the shutdown request is done. ipykernel closes the sockets first, and
        a kernel that ends as fast as ours then aborts, or hangs until it is killed.
        """
        if self.control_thread is not None and self.control_thread.is_alive():
            self.control_thread.stop()
            self.control_thread.join(CONTROL_END)
        super().close()  # type: ignore[no-untyped-call]


def launch(workspace: Workspace) -> None:
    """Serve until a client shuts the kernel down."""
    ContainerShellApp.workspace = workspace
    try:
        ContainerShellApp.launch_instance(kernel_class=ContainerShellKernel)
    finally:
        workspace.close()
