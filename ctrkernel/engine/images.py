"""Images: whether one is here, pulling one, and making one of a container."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ctrkernel.engine.engine import ANSWER_TIMEOUT
from ctrkernel.engine.lifecycle import reason, reason_of
from ctrkernel.engine.process import Cancelled
from ctrkernel.engine.streams import STDERR
from ctrkernel.errors import CommandInterrupted, EngineError, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.engine import Engine

#: An image's reference begins so; a leading ``-`` would be read as an option.
#: distribution/reference: a registry's host, a path in small letters, a tag, a digest.
_REFERENCE = re.compile(
    r"(?:(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@[A-Za-z][\w.+-]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
#: containers-transports(5), of Podman: ``oci-archive:/images/app.tar``.
_ELSEWHERE = re.compile(r"[a-z][a-z-]*:/[\w./:@+-]*")
#: An image that is named by its id, or by the beginning of it.
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")
#: Seconds to make an image of a container: gigabytes on a slow disk.
COMMIT_TIMEOUT = 900.0
#: Characters of the CLI's complaint that are kept for the error.
_COMPLAINT = 16 * 1024
#: Variables that change what the CLI itself does, so they cannot be handed over by name.
_CLI_VARIABLES = re.compile(
    r"(?i)PATH|HOME|USER|SHELL|TMPDIR|(?:DOCKER|BUILDKIT|BUILDX|CONTAINERS?|PODMAN|XDG|LD|SSH|SSL|GO)"
    r"(?:_.*|DEBUG)?|(?:.*_)?PROXY|STORAGE_.*|REGISTRY_.*|DBUS_.*"
)


def check_image(image: str) -> str:
    """Return `image` if it can name an image.

    Raises:
        UsageError: It cannot.
    """
    if not _REFERENCE.fullmatch(image) and not _ELSEWHERE.fullmatch(image):
        raise UsageError(
            f"{one_line(image, limit=80)!r} cannot be an image's name, which is in small letters; "
            "type one such as debian:12"
        )
    return image


def base_name(image: str) -> str:
    """Return what to call a container of `image`: its last part, without tag and digest."""
    if _ID.fullmatch(image):
        return "box"
    last = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    name = re.sub(r"[^a-zA-Z0-9_.-]", "-", last).lstrip("_.-")
    # The engines want two characters at least.
    return name if len(name) > 1 else f"{name}box"


def safe_name(name: str) -> bool:
    """Whether a variable of that name can stand in the environment of the engine's CLI."""
    return not _CLI_VARIABLES.fullmatch(name)


def image_exists(engine: Engine, image: str) -> bool:
    """Whether the engine has `image`.

    Raises:
        UsageError: `image` can name none.
        EngineUnreachable: The daemon does not answer.
    """
    words = ["image", "inspect", "--format={{.Id}}", check_image(image)]
    return engine.run(words, timeout=ANSWER_TIMEOUT).exit_code == 0


def has_command(engine: Engine, image: str) -> bool:
    """Whether `image` says what a container of it runs."""
    words = ["image", "inspect", "--format={{json .Config.Cmd}} {{json .Config.Entrypoint}}"]
    done = engine.run([*words, check_image(image)], timeout=ANSWER_TIMEOUT)
    return any(word not in (b"null", b"[]") for word in done.stdout.split())


def repo_digest(engine: Engine, image: str) -> str | None:
    """Return the name and digest by which a registry knows `image`; None if none does.

    Args:
        engine: The engine's command line.
        image: Its id or name.
    """
    words = ["image", "inspect", "--format={{json .RepoDigests}}", check_image(image)]
    done = engine.run(words, timeout=ANSWER_TIMEOUT)
    try:
        digests = json.loads(done.stdout or b"null")
    except ValueError:
        return None
    return str(digests[0]) if done.exit_code == 0 and digests else None


def pull(
    engine: Engine,
    image: str,
    *,
    platform: str | None = None,
    on_line: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Pull `image` from its registry; an interrupted pull leaves nothing but finished layers.

    Args:
        engine: The engine's command line.
        image: The reference.
        platform: Such as ``linux/arm64``.
        on_line: Called with each line of progress.
        cancelled: Asked now and then; true ends it.

    Raises:
        EngineError: It could not be pulled.
        CommandInterrupted: `cancelled` said so.
    """
    words = ["pull", *([f"--platform={platform}"] if platform else []), check_image(image)]
    # Docker keeps its progress off stderr, so that only errors are there; Podman does not.
    complaint = Complaint(on_line, both=engine.name == "podman")
    try:
        status = engine.stream(words, on_output=complaint.feed, cancelled=cancelled)
    except Cancelled as error:
        raise CommandInterrupted(f"interrupted; {image} was not pulled") from error
    if status != 0:
        raise EngineError(
            f"image {image} could not be pulled: {reason_of(complaint.text)}; check its name, "
            f"or build it: %ctr_build --tag {image} DIR"
        )


def commit(
    engine: Engine,
    container: str,
    tag: str,
    *,
    message: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> str:
    """Make an image of a container's file system and return its id.

    Args:
        engine: The engine's command line.
        container: Its name or id; it is paused for the moment.
        tag: What the image is called.
        message: What to write into its history.
        cancelled: Asked now and then; the engine may go on with it.

    Raises:
        TargetError: There is no such container.
        EngineError: It could not be done.
        CommandInterrupted: `cancelled` said so.
    """
    info = engine.inspect(container)
    words = ["commit", *([f"--message={message}"] if message else [])]
    if engine.name == "podman" and message:
        # Its own format keeps no message.
        words.append("--format=docker")
    words += [info.id, check_image(tag)]
    try:
        done = engine.run(words, timeout=COMMIT_TIMEOUT, cancelled=cancelled)
    except Cancelled as error:
        raise CommandInterrupted(f"interrupted; {tag} may still be made") from error
    if done.exit_code != 0:
        raise EngineError(
            f"no image could be made of {info.name}: {reason(done)}; type %ctr_commit NAME:TAG"
        )
    return done.stdout.decode().split()[-1]


class Complaint:
    """Keeps the end of what the CLI says on stderr, and hands lines on.

    Args:
        on_line: Called with each line of stdout that is not blank.
        both: And with those of stderr.
    """

    def __init__(self, on_line: Callable[[str], None] | None = None, *, both: bool = False) -> None:
        self._on_line = on_line
        self._both = both
        self._rest = b""
        self._said = b""

    def feed(self, name: str, data: bytes) -> None:
        """Take output."""
        if name == STDERR:
            self._said = (self._said + data)[-_COMPLAINT:]
        if self._on_line is None or (name == STDERR and not self._both):
            return
        *lines, rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[-_COMPLAINT:]
        for line in lines:
            if shown := line.decode(errors="replace").strip():
                self._on_line(shown)

    @property
    def text(self) -> str:
        """What was said on stderr."""
        return self._said.decode(errors="replace")
