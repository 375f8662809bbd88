"""The floor of every comparison: an ipykernel wrapper kernel that does nothing.

What it costs, every kernel that wraps another language through ``ipykernel.kernelbase`` costs.
"""

from __future__ import annotations

from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class EmptyKernel(Kernel):
    """Answers every cell with ``ok`` and prints nothing."""

    implementation = "empty"
    implementation_version = "1"
    language_info: dict[str, Any] = {  # noqa: RUF012 - the base class has it as an instance's
        "name": "empty",
        "mimetype": "text/plain",
        "file_extension": ".txt",
    }
    banner = "empty"

    async def do_execute(
        self,
        code: str,  # noqa: ARG002 - the name is the Jupyter interface's
        silent: bool,  # noqa: ARG002
        store_history: bool = True,  # noqa: ARG002
        user_expressions: dict[str, Any] | None = None,  # noqa: ARG002
        allow_stdin: bool = False,  # noqa: ARG002
        *,
        cell_meta: dict[str, Any] | None = None,  # noqa: ARG002
        cell_id: str | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return the reply; ipykernel calls this for each execute_request."""
        return {
            "status": "ok",
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": {},
        }


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=EmptyKernel)
