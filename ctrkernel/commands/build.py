"""``%ctr_build`` and ``%ctr_commit``: images."""

from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING, Self

from ctrkernel.commands.command import Body, Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.engine.streams import STDERR, STDOUT
from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ctrkernel.engine.build import BuildSpec

#: Characters of an image's id that are shown, as the engines do.
_SHORT_ID = 12


class ImageId(str):
    """An image's id, which shows itself in a line.

    Args:
        value: The whole id.
        line: What to show.
    """

    __slots__ = ("_line",)

    def __new__(cls, value: str, line: str) -> Self:
        """Keep the line beside the id."""
        made = super().__new__(cls, value)
        made._line = line
        return made

    _line: str

    def __repr__(self) -> str:
        """The line."""
        return self._line


class Build(Command):
    """Build an image from a folder, or from the cell as a Dockerfile."""

    name = "ctr_build"
    examples = (
        ("%ctr_build --tag web:1 .", "from the Dockerfile in this folder"),
        ("%%ctr_build web:1", "the cell is the Dockerfile; it has no files beside it"),
        ("%%ctr_build web:1 ./site", "the cell is the Dockerfile, for the files of a folder"),
        ("%ctr_build --build-arg VERSION=3 --no-cache -t web:3 .", "every step anew"),
        ("image = %ctr_build -t web:1 .", "in Python: the image's id"),
    )
    body = Body.MAY
    completes = {  # noqa: RUF012 - a constant of the class
        "words": Completes.LOCAL_PATH,
        "file": Completes.LOCAL_PATH,
        "tag": Completes.IMAGE,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """What to build, and how."""
        parser.add_argument(
            "words",
            metavar="CONTEXT",
            nargs="*",
            help="a folder or a URL; with %%%%: TAG, then perhaps CONTEXT",
        )
        parser.add_argument(
            "-t",
            "--tag",
            metavar="TAG",
            action="append",
            default=[],
            help="its name; several may be",
        )
        parser.add_argument("-f", "--file", metavar="F", help="the Dockerfile, if not in CONTEXT")
        parser.add_argument(
            "--build-arg",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="a value for an ARG; NAME alone takes it from the environment",
        )
        parser.add_argument("--no-cache", action="store_true", help="build every step anew")
        parser.add_argument("--pull", action="store_true", help="pull a newer base image")
        parser.add_argument("--target", metavar="STAGE", help="build up to this stage")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Build, streaming what the builder says, and return the image's id."""
        from ctrkernel.engine.build import build  # noqa: PLC0415 - few cells build

        spec = self._spec(arguments, context.body)
        show = _Decoded(context.frontend.stream)
        built = build(
            context.workspace.engine,
            spec,
            on_output=show,
            cancelled=context.interrupts.is_set,
        )
        return _image("built", built, ", ".join(spec.tags))

    def _spec(self, arguments: argparse.Namespace, body: str | None) -> BuildSpec:
        from ctrkernel.engine.build import BuildSpec  # noqa: PLC0415

        words, tags = list(arguments.words), list(arguments.tag)
        if body is not None:
            if words and not tags:
                tags.append(words.pop(0))
            if not tags:
                raise UsageError("%%ctr_build needs the image's name; type %%ctr_build NAME:TAG")
            if arguments.file is not None:
                raise UsageError(
                    "%%ctr_build takes the cell as the Dockerfile; "
                    f"for a file type %ctr_build --file {arguments.file} ."
                )
            if not body.strip():
                raise UsageError("the cell has no Dockerfile; write FROM … on its second line")
        if len(words) > 1:
            raise UsageError(
                f"%ctr_build takes one folder, not {len(words)}; type %ctr_build -t NAME ."
            )
        if not words and body is None:
            raise UsageError("%ctr_build needs a folder; type %ctr_build --tag NAME .")
        return BuildSpec(
            words[0] if words else None,
            tags=tags,
            dockerfile=arguments.file,
            text=body,
            build_args=named_values(arguments.build_arg, "--build-arg"),
            no_cache=arguments.no_cache,
            pull=arguments.pull,
            stage=arguments.target,
        )


class Commit(Command):
    """Make an image of a container's files as they are now."""

    name = "ctr_commit"
    examples = (
        ("%ctr_commit work:1", "of the attached container"),
        ("%ctr_commit --on web --message 'with curl' web:2", "of another, with a line of history"),
    )
    completes = {  # noqa: RUF012
        "tag": Completes.IMAGE,
        "on": Completes.ANY_CONTAINER,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """A name, and a container."""
        parser.add_argument("tag", metavar="TAG", help="what the image is called")
        parser.add_argument("-m", "--message", metavar="TEXT", help="a line for its history")
        parser.add_argument("--on", metavar="TARGET", help="in place of the attached container")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Commit and return the image's id."""
        from ctrkernel.engine.images import commit  # noqa: PLC0415

        container = context.workspace.container(arguments.on)
        made = commit(
            container.engine,
            container.name,
            arguments.tag,
            message=arguments.message,
            cancelled=context.interrupts.is_set,
        )
        return _image(f"made of {container.name}:", made, arguments.tag)


def named_values(words: list[str], option: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` words; a name alone takes its value from the environment.

    Raises:
        UsageError: A word has no name, or its variable is not set.
    """
    values = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name:
            raise UsageError(f"{option} {word}: the name is empty; type {option} NAME=VALUE")
        if not equals and name not in os.environ:
            raise UsageError(
                f"{option} {name}: the environment has no {name}; type {option} {name}=VALUE"
            )
        values[name] = value if equals else os.environ[name]
    return values


def _image(word: str, image: str, tag: str) -> Output:
    short = image.removeprefix("sha256:")[:_SHORT_ID]
    line = f"{word} {tag} ({short})" if tag else f"{word} {short}"
    return Output(f"{line}\n", value=ImageId(image, line))


class _Decoded:
    """Takes bytes of two outputs and shows text."""

    def __init__(self, show: Callable[..., None]) -> None:
        self._show = show
        new = codecs.getincrementaldecoder("utf-8")
        self._decoders = {STDOUT: new("replace"), STDERR: new("replace")}

    def __call__(self, name: str, data: bytes) -> None:
        text = self._decoders[name].decode(data)
        if text:
            self._show(text, name=name)
