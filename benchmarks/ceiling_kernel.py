"""The ceiling of the output rows: a kernel that has the text in memory and only sends it.

A cell names a payload and a message size, ``seq 65536``. The first run of a cell makes the text
and its pieces, so a warmed-up run measures ipykernel, ZeroMQ and the client, and nothing else.
"""

from __future__ import annotations

import functools
from typing import Any

from empty_kernel import EmptyKernel
from ipykernel.kernelapp import IPKernelApp
from payloads import PAYLOADS


@functools.lru_cache(maxsize=4)  # two payloads, two message sizes
def pieces(payload: str, size: int) -> list[str]:
    """Cut the text of `payload` into pieces of `size` characters."""
    text = PAYLOADS[payload].text().decode()
    return [text[at : at + size] for at in range(0, len(text), size)]


class CeilingKernel(EmptyKernel):
    """Sends a known text in stream messages of a known size."""

    implementation = "ceiling"

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, Any] | None = None,
        allow_stdin: bool = False,
        *,
        cell_meta: dict[str, Any] | None = None,
        cell_id: str | None = None,
    ) -> dict[str, Any]:
        """Send the payload that `code` names; ipykernel calls this for each execute_request."""
        if code != "true":
            payload, size = code.split()
            for piece in pieces(payload, int(size)):
                content = {"name": "stdout", "text": piece}
                self.send_response(self.iopub_socket, "stream", content)  # type: ignore[no-untyped-call]
        return await super().do_execute(
            code,
            silent,
            store_history,
            user_expressions,
            allow_stdin,
            cell_meta=cell_meta,
            cell_id=cell_id,
        )


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=CeilingKernel)
