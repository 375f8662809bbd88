"""``%%ctr_write``: the cell's body becomes a file in the container."""

from __future__ import annotations

import argparse
import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.command import Body, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.places import PathCommand, Place, place_of
from ctrkernel.container import MAIN
from ctrkernel.errors import TransferError, UsageError, one_line
from ctrkernel.output.size import format_size
from ctrkernel.transfer.peek import Folder, peek

if TYPE_CHECKING:
    from ctrkernel.protocol.tar_stream import Member

#: Bytes of a file that can be appended to: old and new content are put in its place together.
APPEND_LIMIT: Final = 64 * 1024 * 1024
#: Seconds for making folders.
MKDIR_TIMEOUT: Final = 30.0
_MODE: Final = re.compile(r"[0-7]{3,4}")
_OWNER: Final = re.compile(r"[^:\s]+(?::[^:\s]+)?")


class Write(PathCommand):
    """Write the cell's body to a file in the container, byte for byte; nothing is expanded in it.

    The file is replaced when all has come, so nobody reads half of it. One that is there keeps
    its owner and mode. The last line ends with a newline, as with %%writefile.
    """

    name = "ctr_write"
    examples = (
        ("%%ctr_write app.conf", "the lines below, into the shell's directory"),
        ("%%ctr_write --append ~/.profile", "at the end of what is there"),
        ("%%ctr_write --mode 755 /usr/local/bin/check", "a program"),
        ("%%ctr_write --parents --owner www-data /srv/new/index.html", "folders are made"),
    )
    body = Body.MUST
    completes = {"path": Completes.CONTAINER_PATH, "session": Completes.SESSION}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """A path, and how the file shall be."""
        parser.add_argument(
            "path", metavar="PATH", help="in the container, relative to the shell's directory"
        )
        parser.add_argument(
            "-a", "--append", action="store_true", help="keep what is there and write behind it"
        )
        parser.add_argument("--owner", metavar="USER[:GROUP]", type=_owner, help="names or numbers")
        parser.add_argument("--mode", type=_mode, help="permission bits, such as 755")
        parser.add_argument(
            "-p", "--parents", action="store_true", help="make the folders that are missing"
        )
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="whose directory PATH starts from"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Write it and say how much it was."""
        new = content_of(context.body or "")
        place = place_of(arguments.path, context, session=arguments.session)
        if arguments.parents:
            _make_parents(place)
        present = _present(place, context, whole=arguments.append)
        summary = place.container.put_bytes(
            present.content + new if arguments.append else new,
            place.typed,
            session=arguments.session,
            user=arguments.owner or present.owner,
            mode=arguments.mode if arguments.mode is not None else present.mode,
            cancelled=context.interrupts.is_set,
        )
        did = "appended" if arguments.append and present.member is not None else "wrote"
        return Output(f"{did} {format_size(len(new))} → {summary.destination}\n")


@dataclass(frozen=True, slots=True)
class _Present:
    """What is at the place until now.

    Attributes:
        member: Owner and mode; None if nothing is there.
        content: All of it, if it was wanted.
    """

    member: Member | None = None
    content: bytes = b""

    @property
    def owner(self) -> str | None:
        """As ``--user`` takes it; None where it is the container's user."""
        return None if self.member is None else f"{self.member.uid}:{self.member.gid}"

    @property
    def mode(self) -> int | None:
        """Its permission bits; None where it is a new file's."""
        return None if self.member is None else self.member.mode & 0o777


def content_of(body: str) -> bytes:
    """Return a cell's body as the file's bytes; what is not empty ends with a newline.

    Raises:
        UsageError: It holds what UTF-8 cannot carry.
    """
    if body and not body.endswith("\n"):
        body += "\n"
    try:
        return body.encode()
    except UnicodeEncodeError as error:
        number = f"U+{ord(body[error.start]):04X}"
        raise UsageError(f"the cell holds {number}, which is no character; remove it") from error


def _present(place: Place, context: Context, *, whole: bool) -> _Present:
    """Look at what is there until now."""
    from ctrkernel.transfer.placement import Found  # noqa: PLC0415 - help needs no transfers
    from ctrkernel.transfer.remote import look  # noqa: PLC0415 - as above

    engine = place.container.engine
    info, probe = look(engine, place.container.status(), [place.path.path])
    if probe.paths[0].found is not Found.FILE:
        return _Present()  # a put knows what to say of a folder, a device, a missing parent

    def limit(_: bytes, size: int | None) -> int:
        if not whole:
            return 0
        if size is None or size > APPEND_LIMIT:
            raise TransferError(
                f"{place} is too large to be replaced by a longer one; append to it in a cell: "
                f"cat >> {one_line(shlex.quote(place.path.path))}"
            )
        return size

    found = peek(engine, info, place.path, limit=limit, cancelled=context.interrupts.is_set)
    assert not isinstance(found, Folder)
    return _Present(found.member, found.content if whole else b"")


def _make_parents(place: Place) -> None:
    from ctrkernel.transfer.remote import failure  # noqa: PLC0415 - as above

    engine, info = place.container.engine, place.container.status()
    folder = posixpath.dirname(place.path.path)
    done = engine.run(
        engine.exec_argv(info.id, ["mkdir", "-p", "--", folder])[1:], timeout=MKDIR_TIMEOUT
    )
    if done.exit_code:
        doing = f"cannot make {info.name}:{one_line(folder)}"
        raise failure(engine, info, doing=doing, said=done.message)


def _mode(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise argparse.ArgumentTypeError("MODE is in octal digits, such as 644 or 755")
    return int(text, 8) & 0o7777


def _owner(text: str) -> str:
    if not _OWNER.fullmatch(text):
        raise argparse.ArgumentTypeError("an owner is USER or USER:GROUP")
    return text
