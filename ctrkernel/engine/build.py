"""Building an image, by the classic builder, BuildKit or Podman: whichever the CLI uses."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.images import Complaint, check_image, safe_name
from ctrkernel.engine.lifecycle import reason_of
from ctrkernel.engine.process import Cancelled
from ctrkernel.engine.reachable import unreachable
from ctrkernel.errors import CommandInterrupted, EngineError, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.engine import Engine

#: How a builder tells the step that it begins: the classic one, Podman; and BuildKit, at the end,
#: the one that failed, where ``load metadata`` looks for the image of a FROM.
_STEP: Final = re.compile(
    r"(?:Step|STEP) \d+(?:/\d+)? ?: (.+)"
    r"|> \[internal\] load metadata for (.+):"
    r"|> \[(?!internal\])[^\]]+\] (.+):"
)
#: What a folder's Dockerfile is called: Docker takes the first two, Podman the third too.
_DOCKERFILES = ("Dockerfile", "dockerfile", "Containerfile")


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """What is to be built.

    Args:
        context: A folder or a URL; None for an empty folder.
        tags: What the image is called.
        dockerfile: The Dockerfile's path; None for ``Dockerfile`` in `context`.
        text: The Dockerfile itself, in place of `dockerfile`.
        build_args: Values of its ``ARG``; they travel in the CLI's environment where they can.
        no_cache: Build every step anew.
        pull: Pull a newer base image.
        stage: The stage to build; None for the last.
    """

    context: str | None
    tags: Sequence[str] = ()
    dockerfile: str | None = None
    text: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False
    pull: bool = False
    stage: str | None = None

    def checked(self) -> BuildSpec:
        """Return it if the words can be what they should be.

        Raises:
            UsageError: A tag is no name, or the context or the Dockerfile is not there.
        """
        for tag in self.tags:
            check_image(tag)
        context, file = self.context, self.dockerfile
        if context is not None and not _is_url(context) and not _path(context).is_dir():
            raise UsageError(
                f"{one_line(context, limit=80)!r} is no folder; "
                "type one with a Dockerfile, such as ."
            )
        if file is not None and not _path(file).is_file():
            raise UsageError(f"--file {one_line(file, limit=80)}: there is no such file")
        if context is not None and not _is_url(context) and file is None and self.text is None:
            _find_dockerfile(context)
        return self

    def words(self) -> tuple[list[str], dict[str, str]]:
        """Return the options of ``build``, and variables for its environment."""
        environ: dict[str, str] = {}
        words = [f"--tag={tag}" for tag in self.tags]
        if self.text is not None:
            words.append("--file=-")
        elif self.dockerfile is not None:
            words.append(f"--file={_path(self.dockerfile)}")
        for name, value in self.build_args.items():
            if safe_name(name):
                environ[name] = value
                words.append(f"--build-arg={name}")
            else:
                words.append(f"--build-arg={name}={value}")
        words += ["--no-cache"] * self.no_cache + ["--pull"] * self.pull
        if self.stage is not None:
            words.append(f"--target={self.stage}")
        return words, environ


def build(
    engine: Engine,
    spec: BuildSpec,
    *,
    on_output: Callable[[str, bytes], None],
    cancelled: Callable[[], bool] | None = None,
) -> str:
    """Build an image and return its id.

    Args:
        engine: The engine's command line.
        spec: What is to be built.
        on_output: Called with ``stdout`` or ``stderr`` and bytes.
        cancelled: Asked now and then; true ends the build.

    Raises:
        UsageError: A tag is no name, or the context or the Dockerfile is not there.
        EngineUnreachable: The engine does not answer.
        EngineError: A step failed.
        CommandInterrupted: `cancelled` said so; no image was made.
    """
    options, environ = spec.checked().words()
    progress = _Progress()
    complaint = Complaint(progress.take, both=True)

    def heard(name: str, data: bytes) -> None:
        complaint.feed(name, data)
        on_output(name, data)

    with tempfile.TemporaryDirectory(prefix="ctrkernel-build-") as folder:
        answer, empty = Path(folder, "id"), Path(folder, "empty")
        empty.mkdir()
        context = spec.context if spec.context is not None else str(empty)
        where = context if _is_url(context) else str(_path(context))
        # Intermediate containers go even when a step fails; BuildKit has none and ignores it.
        words = ["build", "--force-rm", f"--iidfile={answer}", *options, "--", where]
        try:
            status = engine.stream(
                words,
                on_output=heard,
                input=spec.text.encode() if spec.text is not None else None,
                environ=environ,
                cancelled=cancelled,
            )
        except Cancelled as error:
            raise CommandInterrupted("interrupted; no image was made") from error
        if status != 0 or not answer.exists():
            failure = unreachable(engine)
            if failure is not None:
                raise failure
            hint = progress.hint(engine.name)
            raise EngineError(f"the build failed: {reason_of(complaint.text)}; {hint}")
        return answer.read_text().strip()


class _Progress:
    """Follows a build's steps, to say which of them failed."""

    def __init__(self) -> None:
        #: The instruction that was begun last; empty before the first.
        self.step = ""

    def take(self, line: str) -> None:
        """Take a line of what the builder says."""
        if found := _STEP.fullmatch(line):
            begun, base, failed = found.groups()
            self.step = begun or failed or f"FROM {base}"

    def hint(self, engine: str) -> str:
        """Return what to do about it."""
        instruction, _, rest = self.step.partition(" ")
        step = one_line(self.step, limit=80)
        match instruction.upper():
            case "":
                return "correct what it names and run it again"
            case "FROM":
                words = [word for word in rest.split() if not word.startswith("--")]
                image = one_line(words[0] if words else "IMAGE", limit=80)
                return f"check the base image's name, or see `{engine} pull {image}`"
            case "COPY" | "ADD":
                return f"correct `{step}`, or the files that it names, and run it again"
            case _:
                return f"correct `{step}` and run it again"


def _find_dockerfile(context: str) -> None:
    folder = _path(context)
    if not any((folder / name).is_file() for name in _DOCKERFILES):
        raise UsageError(
            f"there is no Dockerfile in {one_line(str(folder), limit=80)}; name one by --file, "
            "or write it in a cell that begins with %%ctr_build NAME:TAG"
        )


def _is_url(context: str) -> bool:
    return "://" in context or context.startswith("git@")


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()
