"""The paths in a container that words name: its variables, its home folders, its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.expand import expand
from ctrkernel.transfer.listing import RemoteLister
from ctrkernel.transfer.owner import homes_of
from ctrkernel.transfer.paths import THERE, TypedPath, typed_path
from ctrkernel.transfer.patterns import Path, resolve, tilde_user
from ctrkernel.transfer.remote import look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine


def container_paths(
    engine: Engine,
    container: ContainerInfo,
    words: Sequence[str],
    *,
    base: str,
    home: str | None,
    values: Mapping[str, str],
) -> list[list[TypedPath]]:
    """Return for each of `words` the paths that it names: one, or those that a pattern matches.

    Args:
        engine: The engine.
        container: The container.
        words: As they were typed; see :mod:`.words`.
        base: The folder that relative paths start from.
        home: What ``~`` means.
        values: Variables of the shell.

    Raises:
        TransferError: A word is empty, a variable is not set, or nothing matches.
    """
    homes = {} if home is None else {"": home}
    if any(tilde_user(word) for word in words):
        _, probe = look(engine, container, [], users=True)
        homes = {**homes_of(probe.passwd), **homes}
    paths = [
        resolve(word, values=values, homes=homes, where=f"in {container.name}") for word in words
    ]
    return [_typed(engine, container, path, base=base) for path in paths]


def _typed(engine: Engine, container: ContainerInfo, path: Path, *, base: str) -> list[TypedPath]:
    if not path.is_pattern:
        return [typed_path(path.shown, path.text, base=base, where=THERE)]
    if not container.running:
        raise TransferError(
            f"{one_line(path.shown)} is a pattern, and {container.name} is {container.state}, so "
            "nobody can match it; name the files, or a folder"
        )
    lister = RemoteLister(engine, container)
    found = expand(path, lister, base=base, where=f"{container.name}:")
    return [typed_path(each, each, base=base, where=THERE) for each in found]
