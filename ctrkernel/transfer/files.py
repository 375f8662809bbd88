"""The files of one container, as its Python API has them: put, get and copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.relay import Remote
    from ctrkernel.transfer.summary import TransferSummary


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What paths in a container start from.

    Args:
        base: The folder that relative ones start from.
        home: What ``~`` means; None where nobody knows.
        values: The variables that they use.
        pid: The shell's, in the container; 0 for none.
    """

    base: str
    home: str | None
    values: Mapping[str, str] = field(default_factory=dict)
    pid: int = 0


class Files(ABC):
    """What has files: a container."""

    engine: Engine

    @abstractmethod
    def status(self) -> ContainerInfo:
        """Return what the engine says of the container now."""

    @abstractmethod
    def surroundings(self, session: str, words: Sequence[str]) -> Surroundings:
        """Return what `words`, paths in the container, start from in a session."""

    def put(
        self,
        sources: str | Sequence[str],
        destination: str,
        *,
        session: str = "main",
        archive: bool = False,
        follow_link: bool = False,
        owner: str | None = None,
        mode: str | None = None,
        parents: bool = False,
        no_clobber: bool = False,
        update: bool = False,
        checksum: bool = False,
        verify: bool = False,
        dry_run: bool = False,
        on_progress: Callable[[int, int | None], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> TransferSummary:
        """Put files or folders of this machine into the container.

        A string is a name, but for a ``~/`` at its beginning; give
        ``ctrkernel.transfer.words.typed("*.csv")`` where a pattern is meant.

        Args:
            sources: One path, or several.
            destination: A path in the container, relative to the session's directory. An absolute
                one needs no shell, so the container may be stopped, paused or without one.
            session: Whose directory, home and variables count.
            archive: Keep the files' numeric owners.
            follow_link: Put what a source that is a link leads to.
            owner: ``USER[:GROUP]`` who shall own it; None is the session's user.
            mode: Permissions as for chmod: ``640``, ``u=rw,go=r``; None keeps them.
            parents: Make the folders that are missing above `destination`.
            no_clobber: Leave files that exist alone.
            update: Put only files whose size or time differs from what is there.
            checksum: The same, by their content.
            verify: Compare checksums before anything takes its place.
            dry_run: Say what would happen, in the summary's notes, and do nothing.
            on_progress: Called with the bytes sent, and in all.
            cancelled: Asked now and then; true stops it.

        Raises:
            TransferError: It could not be done; the destination is as it was.
            UsageError: `mode` is no mode.
        """
        from ctrkernel.transfer.options import options_from  # noqa: PLC0415 - a shell needs no transfers
        from ctrkernel.transfer.put import put  # noqa: PLC0415 - as above

        options = options_from(
            archive=archive,
            follow_link=follow_link,
            owner=owner,
            mode=mode,
            parents=parents,
            no_clobber=no_clobber,
            update=update,
            checksum=checksum,
            verify=verify,
            dry_run=dry_run,
        )
        around = self.surroundings(session, [destination])
        return put(
            self.engine,
            self.status(),
            [sources] if isinstance(sources, str) else sources,
            destination,
            base=around.base,
            home=around.home,
            values=around.values,
            pid=around.pid,
            options=options,
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def get(
        self,
        sources: str | Sequence[str],
        destination: str,
        *,
        session: str = "main",
        archive: bool = False,
        follow_link: bool = False,
        owner: str | None = None,
        mode: str | None = None,
        parents: bool = False,
        no_clobber: bool = False,
        update: bool = False,
        checksum: bool = False,
        verify: bool = False,
        dry_run: bool = False,
        max_files: int | None = None,
        max_size: int | None = None,
        on_progress: Callable[[int, int | None], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> TransferSummary:
        """Get files or folders from the container; arguments as for :meth:`put`.

        Args:
            sources: One path in the container, or several.
            destination: A path on this machine.
            session: Whose directory, home and variables count.
            archive: Keep numeric owners, for root.
            follow_link: Get what a source that is a link leads to.
            owner: ``USER[:GROUP]`` of this machine; None is the caller.
            mode: Permissions as for chmod; None keeps them.
            parents: Make the folders that are missing above `destination`.
            no_clobber: Leave files that exist alone.
            update: Get only files whose size or time differs from what is here.
            checksum: The same, by their content.
            verify: Compare checksums before anything takes its place.
            dry_run: Say what would happen, in the summary's notes, and do nothing.
            max_files: How many files are accepted; None is two million.
            max_size: How many bytes are accepted; None is a terabyte.
            on_progress: Called with the bytes received, and in all where that is known.
            cancelled: Asked now and then; true stops it.

        Raises:
            TransferError: It could not be done; the destination is as it was.
            UsageError: `mode` is no mode.
        """
        from ctrkernel.transfer.extract import Limits  # noqa: PLC0415 - a shell needs no transfers
        from ctrkernel.transfer.get import get  # noqa: PLC0415 - as above
        from ctrkernel.transfer.options import options_from  # noqa: PLC0415 - as above

        named = [sources] if isinstance(sources, str) else sources
        options = options_from(
            archive=archive,
            follow_link=follow_link,
            owner=owner,
            mode=mode,
            parents=parents,
            no_clobber=no_clobber,
            update=update,
            checksum=checksum,
            verify=verify,
            dry_run=dry_run,
        )
        around = self.surroundings(session, named)
        default = Limits()
        return get(
            self.engine,
            self.status(),
            named,
            destination,
            base=around.base,
            home=around.home,
            values=around.values,
            options=options,
            limits=Limits(
                members=default.members if max_files is None else max_files,
                bytes=default.bytes if max_size is None else max_size,
            ),
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def copy(
        self,
        sources: str | Sequence[str],
        destination: str,
        *,
        to: Files,
        session: str = "main",
        archive: bool = False,
        follow_link: bool = False,
        owner: str | None = None,
        mode: str | None = None,
        parents: bool = False,
        no_clobber: bool = False,
        update: bool = False,
        checksum: bool = False,
        verify: bool = False,
        dry_run: bool = False,
        on_progress: Callable[[int, int | None], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> TransferSummary:
        """Copy files or folders into another container, streamed; arguments as for :meth:`put`.

        Args:
            sources: One path in this container, or several.
            destination: A path in the other container.
            to: The other container, of any engine; this one too, if it has tar.
            session: Whose directory, home and variables count, in either.
            archive: Keep the files' numeric owners.
            follow_link: Copy what a source that is a link leads to.
            owner: ``USER[:GROUP]`` of the other container; None is its session's user.
            mode: Permissions as for chmod; None keeps them.
            parents: Make the folders that are missing above `destination`.
            no_clobber: Leave files that exist alone.
            update: Copy only files whose size or time differs from what is there.
            checksum: The same, by their content.
            verify: Compare checksums before anything takes its place.
            dry_run: Say what would happen, in the summary's notes, and do nothing.
            on_progress: Called with the bytes moved, and in all where that is known.
            cancelled: Asked now and then; true stops it.

        Raises:
            TransferError: It could not be done; the destination is as it was.
            UsageError: `mode` is no mode.
        """
        from ctrkernel.transfer.options import options_from  # noqa: PLC0415 - a shell needs no transfers
        from ctrkernel.transfer.paths import only  # noqa: PLC0415 - as above
        from ctrkernel.transfer.relay import relay  # noqa: PLC0415 - as above

        options = options_from(
            archive=archive,
            follow_link=follow_link,
            owner=owner,
            mode=mode,
            parents=parents,
            no_clobber=no_clobber,
            update=update,
            checksum=checksum,
            verify=verify,
            dry_run=dry_run,
        )
        named = [sources] if isinstance(sources, str) else sources
        return relay(
            self.places(named, session=session),
            only(to.places([destination], session=session), destination),
            options=options,
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def places(self, words: Sequence[str], *, session: str = "main") -> list[Remote]:
        """Return the paths in the container that `words` name; a pattern names several.

        Args:
            words: Paths, as :meth:`put` takes its destination.
            session: Whose directory, home and variables count.

        Raises:
            TransferError: A word means nothing, or a pattern matches nothing.
        """
        from ctrkernel.transfer.container_paths import container_paths  # noqa: PLC0415 - as in put
        from ctrkernel.transfer.relay import Remote  # noqa: PLC0415 - as in put

        around = self.surroundings(session, words)
        info = self.status()
        found = container_paths(
            self.engine, info, words, base=around.base, home=around.home, values=around.values
        )
        return [Remote(self.engine, info, path, around.pid) for each in found for path in each]

    def put_bytes(
        self,
        data: bytes,
        destination: str,
        *,
        session: str = "main",
        user: str | None = None,
        mode: int | None = None,
        on_progress: Callable[[int, int | None], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> TransferSummary:
        """Put `data` to the file `destination`, all or nothing.

        Args:
            data: The file's new content.
            destination: The file's path in the container, relative to the session's directory.
            session: Whose directory and home count.
            user: Who shall own it; None is the session's user.
            mode: Its permission bits; None is 644.
            on_progress: Called with the bytes sent, and in all.
            cancelled: Asked now and then; true stops it.

        Raises:
            TransferError: It could not be done; the destination is as it was.
        """
        from ctrkernel.transfer.content import put_bytes  # noqa: PLC0415 - as in put

        around = self.surroundings(session, [destination])
        return put_bytes(
            self.engine,
            self.status(),
            data,
            destination,
            base=around.base,
            home=around.home,
            pid=around.pid,
            user=user,
            mode=mode,
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def get_bytes(
        self,
        path: str,
        *,
        session: str = "main",
        limit: int = 64 * 1024 * 1024,
        cancelled: Callable[[], bool] | None = None,
    ) -> bytes:
        """Return the content of the file `path`; links are followed.

        Args:
            path: The file's path in the container, relative to the session's directory.
            session: Whose directory and home count.
            limit: Bytes that it may have.
            cancelled: Asked now and then; true stops it.

        Raises:
            TransferError: There is no such file, or it is larger than `limit`.
        """
        from ctrkernel.transfer.content import get_bytes  # noqa: PLC0415 - as in put

        around = self.surroundings(session, [path])
        return get_bytes(
            self.engine,
            self.status(),
            path,
            base=around.base,
            home=around.home,
            limit=limit,
            cancelled=cancelled,
        )
