"""Kernel specifications: how Jupyter finds the kernel, one for each target if wanted."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from ctrkernel.errors import CtrKernelError

#: The name of the specification that the wheel brings.
KERNEL_NAME = "ctrkernel"
DISPLAY_NAME = "Container Shell"


class SpecError(CtrKernelError):
    """A kernel specification cannot be written."""


def shipped_folder() -> Path:
    """Return the folder of the specification that the wheel installed.

    Raises:
        SpecError: It is not there: the package was not installed as a wheel.
    """
    folder = Path(sys.prefix) / "share" / "jupyter" / "kernels" / KERNEL_NAME
    if not (folder / "kernel.json").is_file():
        raise SpecError(f"{folder} is missing; install the package with `pip install ctrkernel`")
    return folder


def install(
    *,
    target: str | None = None,
    name: str | None = None,
    display_name: str | None = None,
    user: bool = False,
    prefix: str | None = None,
) -> Path:
    """Write a kernel specification and return its folder.

    Args:
        target: The container that the kernel attaches to by itself.
        name: The folder's name; made from the target where it is not given.
        display_name: What the launcher shows.
        user: For this user, whatever the environment.
        prefix: Under this folder; neither is this interpreter's own.

    Raises:
        SpecError: The place cannot be written.
    """
    if name is None:
        suffix = "-" + re.sub(r"[^a-z0-9._-]", "-", target.lower()) if target else ""
        name = KERNEL_NAME + suffix
    document = json.loads((shipped_folder() / "kernel.json").read_text(encoding="utf-8"))
    document["argv"][0] = sys.executable
    if target:
        document.setdefault("env", {})["CTRKERNEL_TARGET"] = target
    default = f"{DISPLAY_NAME} ({target})" if target else DISPLAY_NAME
    document["display_name"] = display_name or default
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / name
        shutil.copytree(shipped_folder(), folder)
        (folder / "kernel.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
        try:
            written = KernelSpecManager().install_kernel_spec(
                str(folder),
                kernel_name=name,
                user=user,
                prefix=None if user else prefix or sys.prefix,
            )
        except (OSError, ValueError) as error:
            raise SpecError(f"the specification {name} cannot be written: {error}") from error
    return Path(written)
