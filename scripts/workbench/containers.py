"""Our containers: the demo's, which stays, and the tests', each of which names its run."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from workbench import images
from workbench.names import DEMO, DEMO_LABEL, ENGINE, TEST_LABEL
from workbench.process import SetupFailed, answer, query, say

if TYPE_CHECKING:
    from collections.abc import Iterable

#: For a start or a removal on a busy machine.
SECONDS = 60.0

#: Whose process numbers a test's label counts in, for an engine may serve several machines.
_HOST_LABEL = f"{TEST_LABEL}.host"


def demo() -> str:
    """See to it that the demo's container runs the present image, and return its name.

    Raises:
        SetupFailed: A container of that name is not ours, or it does not start.
    """
    image = images.ensure(images.DEBIAN)
    form = f'{{{{index .Config.Labels "{DEMO_LABEL}"}}}}|{{{{.Image}}}}|{{{{.State.Running}}}}'
    found = query([ENGINE, "container", "inspect", f"--format={form}", DEMO], seconds=SECONDS)
    if found.returncode == 0:
        label, made_from, running = found.stdout.strip().split("|")
        if label != "container":
            raise SetupFailed(
                f"a container {DEMO} exists that we did not make; "
                f"type: {ENGINE} rename {DEMO} another-name"
            )
        present = answer([ENGINE, "image", "inspect", "--format={{.Id}}", image], seconds=SECONDS)
        if made_from == present:
            if running != "true":
                say(f"starting the container {DEMO}")
                answer([ENGINE, "start", DEMO], seconds=SECONDS)
            return DEMO
        remove([DEMO])
    say(f"starting the container {DEMO}")
    options = ["--detach", "--init", f"--name={DEMO}", f"--hostname={DEMO}"]
    answer(
        [ENGINE, "run", *options, f"--label={DEMO_LABEL}=container", image, "sleep", "infinity"],
        seconds=SECONDS,
    )
    return DEMO


def for_test(name: str, image: images.Image, *options: str) -> str:
    """Start a container for this run of the tests and return its name.

    Args:
        name: Its name.
        image: What it is made from; made first where it is not there.
        options: Further options of the engine's ``run``.

    Raises:
        SetupFailed: It does not start.
    """
    argv = [ENGINE, "run", "--detach", "--init", f"--name={name}"]
    labels = [f"--label={TEST_LABEL}={os.getpid()}", f"--label={_HOST_LABEL}={platform.node()}"]
    answer(
        [*argv, *labels, *options, images.ensure(image), "sleep", "infinity"],
        seconds=SECONDS,
    )
    return name


def remove(names: Iterable[str]) -> None:
    """Remove containers, running or not; one that is gone already is no failure."""
    for name in names:
        query([ENGINE, "rm", "--force", "--volumes", name], seconds=SECONDS)


def remove_orphans() -> None:
    """Remove containers of test runs on this machine that were killed before they could."""
    form = f'--format={{{{.ID}}}} {{{{.Label "{TEST_LABEL}"}}}}'
    ours = f"--filter=label={_HOST_LABEL}={platform.node()}"
    listing = answer([ENGINE, "ps", "--all", ours, form], seconds=SECONDS)
    remove(
        identifier
        for identifier, pid in (line.split(" ", 1) for line in listing.splitlines())
        if not _lives(pid)
    )


def remove_all() -> None:
    """Remove every container of ours; one that a person made from our image is theirs."""
    for label in (
        f"{DEMO_LABEL}=container",
        f"{DEMO_LABEL}=making",
        f"{TEST_LABEL}=making",
        _HOST_LABEL,
    ):
        argv = [ENGINE, "ps", "--all", "--quiet", f"--filter=label={label}"]
        remove(answer(argv, seconds=SECONDS).split())


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except ValueError:
        return False
    return True
