"""Python values as files in the container, for ``%ctr_put --var`` and ``%ctr_get --var``.

Text goes as UTF-8 and bytes as they are. A pandas DataFrame goes as what the path's ending says.
pandas is no dependency: it is loaded only where a frame is asked for, and nothing is ever
unpickled.
"""

from __future__ import annotations

import io
import json
import posixpath
from typing import TYPE_CHECKING, Any, Final

from ctrkernel.commands.context import Output
from ctrkernel.commands.kept import check_variable
from ctrkernel.commands.places import place_of
from ctrkernel.commands.progress import Meter, told
from ctrkernel.commands.sizes import bytes_of
from ctrkernel.errors import TransferError, UsageError, name_list, one_line
from ctrkernel.output.size import format_size

if TYPE_CHECKING:
    import argparse
    from collections.abc import MutableMapping

    from ctrkernel.commands.command import CommandParser
    from ctrkernel.commands.context import Context

#: Bytes of a value unless another bound is given.
MAX_SIZE: Final = 256_000_000
#: What ``--as`` takes.
KINDS: Final = ("text", "bytes", "frame", "json")
#: The endings that a frame can be written to and read from.
_FRAMES: Final = (".csv", ".tsv", ".parquet", ".json")


def add_options(parser: CommandParser, *, get: bool) -> None:
    """Add what puts and gets of a variable take."""
    verb = "into" if get else "from"
    parser.add_argument(
        "--var", metavar="NAME", help=f"{verb} this Python variable, in place of a file here"
    )
    if "--max-size" not in parser.format_usage():  # a get bounds what it takes by itself
        parser.add_argument(
            "--max-size", metavar="SIZE", type=bytes_of, help="of what --var moves (256MB)"
        )
        parser.set_defaults(only_var=("max_size",))
    if get:
        parser.add_argument(
            "--as",
            dest="kind",
            choices=KINDS,
            help="what --var becomes; else text if it is UTF-8, and bytes if not",
        )
        parser.set_defaults(only_var=("kind",))


def refuse_options(arguments: argparse.Namespace) -> None:
    """Refuse what means something with ``--var`` alone, where that is not given.

    Raises:
        UsageError: It is there.
    """
    for name in arguments.only_var:
        if getattr(arguments, name) is not None:
            option = {"kind": "--as", "max_size": "--max-size"}[name]
            raise UsageError(f"{option} is for --var alone; leave it out, or add --var NAME")


def put_variable(arguments: argparse.Namespace, context: Context) -> Output:
    """Put the value of a variable to a file.

    Raises:
        UsageError: There is no such variable, or it is nothing that can be a file.
        TransferError: The file cannot be written; it is as it was.
    """
    path = _only_path(arguments, "put")
    variables = _variables(arguments.var, context)
    if arguments.var not in variables:
        raise UsageError(f"there is no Python variable {arguments.var}; set it first")
    data = as_bytes(variables[arguments.var], path, name=arguments.var)
    most = arguments.max_size or MAX_SIZE
    if len(data) > most:
        raise UsageError(
            f"{arguments.var} has {format_size(len(data))}, more than {format_size(most)}; "
            "raise --max-size"
        )
    place = place_of(path, context, session=arguments.session)
    with Meter("put", context.frontend.progress) as meter:
        summary = place.container.put_bytes(
            data,
            place.typed,
            session=arguments.session,
            on_progress=meter,
            cancelled=context.interrupts.is_set,
        )
    return Output(told("put", summary))


def get_variable(arguments: argparse.Namespace, context: Context) -> Output:
    """Get a file into a variable.

    Raises:
        UsageError: It cannot become what was asked for.
        TransferError: The file cannot be read, or is too large.
    """
    from ctrkernel.transfer.peek import Folder, peek  # noqa: PLC0415 - help needs no transfers

    path = _only_path(arguments, "get")
    variables = _variables(arguments.var, context)
    place = place_of(path, context, session=arguments.session)
    most: int = arguments.max_size or MAX_SIZE

    def limit(_: bytes, size: int | None) -> int:
        if size is not None and size > most:
            raise TransferError(
                f"{place} has {format_size(size)}, more than {format_size(most)}; raise --max-size"
            )
        return most

    with Meter("get", context.frontend.progress) as meter:
        found = peek(
            place.container.engine,
            place.container.status(),
            place.path,
            limit=limit,
            on_progress=meter,
            cancelled=context.interrupts.is_set,
        )
    if isinstance(found, Folder):
        raise TransferError(f"{place} is a folder; name a file")
    value = from_bytes(found.content, path, kind=arguments.kind)
    variables[arguments.var] = value
    what = _told_of(value)
    return Output(f"got {what}, {format_size(len(found.content))} → {arguments.var}\n")


def as_bytes(value: object, path: str, *, name: str) -> bytes:
    """Return what the file at `path` shall hold for a value.

    Raises:
        UsageError: The value is nothing that can be a file.
    """
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{name} holds what is no character; put its bytes") from error
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    ending = posixpath.splitext(path)[1].lower()
    if _is_frame(value):
        return _frame_to_bytes(value, ending, name=name)
    if ending == ".json" and isinstance(value, dict | list):
        try:
            return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(f"{name} cannot be JSON: {one_line(str(error))}") from error
    raise UsageError(
        f"{name} is of type {type(value).__name__}; what can be put: text, bytes, a DataFrame, and "
        f"a dict or a list as .json; for its text type {name}_text = str({name})"
    )


def from_bytes(data: bytes, path: str, *, kind: str | None) -> object:
    """Return a file's content as a value.

    Args:
        data: The content.
        path: Its ending says how a frame is read.
        kind: One of :data:`KINDS`; None is text where it decodes, else bytes.

    Raises:
        UsageError: It cannot become that.
    """
    match kind:
        case "bytes":
            return data
        case "frame":
            return _frame_from_bytes(data, path)
        case "json":
            try:
                return json.loads(data)
            except (ValueError, RecursionError) as error:
                why = one_line(str(error), limit=120)
                raise UsageError(f"{one_line(path)} is no JSON: {why}; get it as text") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if kind == "text":
            raise UsageError(
                f"{one_line(path)} is no UTF-8 at byte {error.start}; get it with --as bytes"
            ) from error
        return data


def _is_frame(value: object) -> bool:
    """Whether it is a DataFrame or a Series; found out without importing pandas."""
    return any(
        kind.__module__.partition(".")[0] == "pandas" and kind.__name__ in {"DataFrame", "Series"}
        for kind in type(value).__mro__
    )


def _frame_to_bytes(frame: Any, ending: str, *, name: str) -> bytes:
    if hasattr(frame, "to_frame"):  # a Series
        frame = frame.to_frame()
    # The numbers 0, 1, 2 … that every frame begins with say nothing.
    plain = type(frame.index).__name__ == "RangeIndex" and frame.index.name is None
    try:
        match ending:
            case ".csv" | ".tsv":
                text: str = frame.to_csv(index=not plain, sep="\t" if ending == ".tsv" else ",")
                return text.encode()
            case ".json":
                lines: str = frame.to_json(orient="records" if plain else "split", indent=1)
                return lines.encode()
            case ".parquet":
                packed = io.BytesIO()
                frame.to_parquet(packed, index=None if plain else True)
                return packed.getvalue()
    except ImportError as error:
        raise _no_parquet() from error
    except Exception as error:
        why = one_line(str(error), limit=160)
        raise UsageError(f"{name} cannot be written as {ending}: {why}") from error
    raise UsageError(
        f"{name} is a DataFrame, and the path's ending says how it is written; "
        f"choose one of {name_list(_FRAMES)}"
    )


def _frame_from_bytes(data: bytes, path: str) -> object:
    ending = posixpath.splitext(path)[1].lower()
    if ending not in _FRAMES:
        raise UsageError(
            f"{one_line(path)} cannot become a frame, only what ends in {name_list(_FRAMES)}; "
            "get it with --as bytes"
        )
    try:
        import pandas as pd  # noqa: PLC0415 - it is no dependency
    except ImportError as error:
        raise UsageError(
            "--as frame needs pandas; type %pip install pandas, or get it as text"
        ) from error
    source = io.BytesIO(data)
    try:
        match ending:
            case ".parquet":
                return pd.read_parquet(source)
            case ".json":
                return pd.read_json(source)
        return pd.read_csv(source, sep="\t" if ending == ".tsv" else ",")
    except ImportError as error:
        raise _no_parquet() from error
    except Exception as error:  # whatever pandas and its engines make of foreign bytes
        why = one_line(str(error), limit=160)
        raise UsageError(f"{one_line(path)} is no {ending} table: {why}") from error


def _no_parquet() -> UsageError:
    return UsageError("Parquet needs pyarrow; type %pip install pyarrow, or use .csv")


def _told_of(value: object) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bytes):
        return "bytes"
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"a DataFrame of {shape[0]:,} rows and {shape[1]} columns"
    return f"a {type(value).__name__}"


def _only_path(arguments: argparse.Namespace, word: str) -> str:
    paths: list[str] = arguments.paths
    if len(paths) != 1:
        raise UsageError(
            f"with --var there is one path, in the container; type %ctr_{word} --var NAME PATH"
        )
    return paths[0]


def _variables(name: str, context: Context) -> MutableMapping[str, object]:
    variables = context.frontend.variables
    if variables is None:
        raise UsageError(
            "--var needs Python variables, and this kernel has none; name a file, or use "
            "%load_ext ctrkernel in a Python notebook"
        )
    check_variable(name)
    return variables
