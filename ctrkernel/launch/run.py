"""Make a container, come to a shell in it, and have it removed at the end."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ctrkernel.container import MAIN, Container
from ctrkernel.engine.create import Launch, RunSpec
from ctrkernel.engine.engine import find_engine
from ctrkernel.engine.ownership import Ownership
from ctrkernel.engine.transcript import TranscriptFolder
from ctrkernel.errors import ShellNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine


def run_container(
    image: str,
    command: str | Sequence[str] | None = None,
    *,
    name: str | None = None,
    env: Mapping[str, str] | None = None,
    env_files: Sequence[str] = (),
    mounts: Sequence[str] = (),
    volumes: Sequence[str] = (),
    ports: Sequence[str] = (),
    workdir: str | None = None,
    user: str | None = None,
    network: str | None = None,
    entrypoint: str | None = None,
    labels: Mapping[str, str] | None = None,
    pull: str = "missing",
    options: Sequence[str] = (),
    keep: bool = False,
    log_dir: str | None = None,
    engine: Engine | None = None,
    shell: str | None = None,
    on_line: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Container:
    """Make a container and return it with its main shell at its prompt.

    ::

        with run_container("debian:12", volumes=["./src:/src"], workdir="/src") as box:
            box.run("make", check=True)

    It is removed, its anonymous volumes too, when it is closed or this process ends, even by
    SIGKILL, unless `keep` is true. If anything fails, nothing is left of it.

    Args:
        image: The image's name or id; it is pulled if it is not here.
        command: The container's own command; None for the image's.
        name: Its name; None for one made of the image's, with -2, -3 … where that is taken.
        env: Variables; their values do not stand on any command line.
        env_files: Files of ``NAME=VALUE`` lines on this machine.
        mounts: ``type=bind,source=data,target=/data`` each.
        volumes: ``./data:/data:ro`` each.
        ports: ``8080:80`` each.
        workdir: An absolute path in the container.
        user: A name or uid, with or without a group.
        network: The network's name.
        entrypoint: The program in place of the image's.
        labels: Further labels.
        pull: ``missing``, ``always`` or ``never``.
        options: Further options of the engine's ``create``, each one word: ``--memory=1g``.
        keep: Leave it when this process ends.
        log_dir: A folder for transcripts of what the container and its shells print.
        engine: None for the one that ``CTRKERNEL_ENGINE`` names, else docker, else podman.
        shell: The shell of its sessions, arguments included; None to ask the container.
        on_line: Called with each line of a pull's progress.
        cancelled: Asked now and then; true ends it.

    Raises:
        UsageError: An argument cannot be what it should be.
        EngineError: It could not be pulled, created or started; or its name is taken.
        ContainerExited: Its command ended at once; the error has its last lines.
        ShellNotFound: It has no shell.
    """
    chosen = engine or find_engine(os.environ)
    asked = shell or os.environ.get("CTRKERNEL_SHELL")
    spec = RunSpec(
        image,
        shlex.split(command) if isinstance(command, str) else list(command or ()),
        name=name,
        env=env or {},
        env_files=env_files,
        mounts=mounts,
        volumes=volumes,
        ports=ports,
        workdir=workdir,
        user=user,
        network=network,
        entrypoint=entrypoint,
        labels=[f"{key}={value}" for key, value in (labels or {}).items()],
        pull=pull,
        options=options,
    )

    def make(
        name: str, ownership: Ownership | None, transcripts: TranscriptFolder | None
    ) -> Container:
        return Container(
            chosen,
            name,
            shell=asked,
            ownership=ownership,
            transcripts=transcripts,
        )

    return bring_up(
        chosen, spec, make=make, keep=keep, log_dir=log_dir, on_line=on_line, cancelled=cancelled
    )


def bring_up(
    engine: Engine,
    spec: RunSpec,
    *,
    make: Callable[[str, Ownership | None, TranscriptFolder | None], Container],
    keep: bool = False,
    log_dir: str | None = None,
    enter: bool = True,
    on_line: Callable[[str], None] | None = None,
    on_notice: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Container:
    """Make a container and come to a shell in it; whatever fails, nothing is left.

    Args:
        engine: The engine's command line.
        spec: What is wanted.
        make: Makes the object for it.
        keep: Leave it when it is closed.
        log_dir: A folder for transcripts.
        enter: Start its main shell.
        on_line: Called with each line of a pull's progress.
        on_notice: Called with a line that says what was done in place of what was asked.
        cancelled: Asked now and then; true ends it.
    """
    transcripts = TranscriptFolder(log_dir) if log_dir is not None else None
    ownership = Ownership(engine)
    try:
        launch = Launch(
            engine,
            spec,
            ownership=ownership,
            on_line=on_line,
            on_notice=on_notice,
            cancelled=cancelled,
        )

        def come_in(info: ContainerInfo) -> Container:
            if transcripts is not None:
                transcripts.follow(engine, info.name)
            container = make(info.name, None if keep else ownership, transcripts)
            if enter:
                try:
                    container.ready(MAIN)
                except ShellNotFound as error:
                    raise ShellNotFound(
                        f"{spec.image} has no shell (neither bash nor sh), so no container of it "
                        f"was kept; type %ctr_run --no-attach {spec.image} to do without one"
                    ) from error
                except BaseException:
                    container.end_shells(wait=False)
                    raise
            return container

        container = launch.bring_up(come_in)
    except BaseException:
        ownership.remove()
        if transcripts is not None:
            transcripts.close(wait=True)
        raise
    if keep:
        ownership.dismiss()
    return container
