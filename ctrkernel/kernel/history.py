"""The cells that were run, kept for each target across kernels, as Jupyter's history asks for them.

One SQLite file of the person's, which any number of kernels use at once. A thread of its own talks
to it, so that no cell waits for a disk. What cannot be written is kept in memory, and told once.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import pwd
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ctrkernel.errors import one_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from ctrkernel.session.mask import Mask

#: Seconds to wait for another kernel that writes.
BUSY_TIMEOUT: Final = 5.0
#: Seconds that a kernel's end waits for the last cells to be written.
CLOSE_TIMEOUT: Final = 2.0
#: Seconds that a cell waits for others that are written with it: each write waits for the disk, and
#: takes from the next cells' time.
WRITE_DELAY: Final = 0.3
#: Characters of the longest cell that is kept: nobody looks for a longer one.
LONGEST: Final = 100_000
#: Characters that the cells of one target, and of all of them, may have; the oldest go first.
TARGET_LIMIT: Final = 4_000_000
TOTAL_LIMIT: Final = 32_000_000
#: What a row costs beside its text, in characters.
ROW_COST: Final = 100
#: Cells between two looks at these limits.
PRUNE_INTERVAL: Final = 500
#: Cells that a tail gives where the front end does not say how many.
TAIL: Final = 10
#: Characters of a search's pattern.
LONGEST_PATTERN: Final = 1000

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS cells (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL, session INTEGER NOT NULL, line INTEGER NOT NULL, source TEXT NOT NULL)
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS cells_of_target ON cells (target, id)"
_ADD: Final = "INSERT INTO cells (target, session, line, source) VALUES (?, ?, ?, ?)"
_NEXT_SESSION: Final = "SELECT coalesce(max(session), 0) + 1 FROM cells"
#: Drops what is older than the newest cells that fit.
_PRUNE: Final = """
DELETE FROM cells WHERE id IN (SELECT id FROM (
    SELECT id, sum(length(source) + :cost) OVER ({partition} ORDER BY id DESC) AS newer FROM cells
) WHERE newer > :limit)
"""
#: A kernel's own cells, and those of others on the same target; all where there is no target yet.
_VISIBLE: Final = "(:target = '' OR target = :target OR session = :session)"
_TAIL: Final = f"""
SELECT session, line, source FROM cells WHERE {_VISIBLE} ORDER BY id DESC LIMIT :n
"""  # noqa: S608 - a constant
_ALL: Final = f"SELECT session, line, source FROM cells WHERE {_VISIBLE} ORDER BY id"  # noqa: S608
_SESSIONS: Final = f"""
SELECT DISTINCT session FROM cells WHERE {_VISIBLE} AND session <> :session ORDER BY session DESC
"""  # noqa: S608
_RANGE: Final = """
SELECT session, line, source FROM cells
WHERE session = :of AND line >= :start AND (:stop IS NULL OR line < :stop) ORDER BY id
"""

#: A session's number, a cell's number in it, and its code.
Entry = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Search:
    """What a history_request asks for; the names are the protocol's.

    Attributes:
        access: ``tail``, ``range`` or ``search``.
        session: Of a range: 0 is this kernel, -1 the one before it on this target.
        start: Of a range: the first number.
        stop: Of a range: the number behind the last; None for all.
        n: Of a tail or a search: how many of the last; None for ten, or for all.
        pattern: Of a search: a glob that matches the whole cell; None for ``*``.
        unique: Of a search: only the last of cells that are the same.
    """

    access: str
    session: int = 0
    start: int = 0
    stop: int | None = None
    n: int | None = None
    pattern: str | None = None
    unique: bool = False


class History:
    """One kernel's view of the file; usable from any thread.

    Args:
        path: The file; made with its folder where it is missing, for its owner alone.
        mask: Takes secrets out of what is kept and of what is shown.
        on_trouble: Called once, in another thread, with a line that says why nothing is kept.
    """

    def __init__(self, path: Path, *, mask: Mask, on_trouble: Callable[[str], None]) -> None:
        self._path = path
        self._mask = mask
        self._on_trouble = on_trouble
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        #: Cells that wait to be written: target, number, code.
        self._pending: list[tuple[str, int, str]] = []
        #: Set while somebody waits for what is to be written.
        self._wanted = threading.Event()
        self._connection: sqlite3.Connection | None = None
        #: This kernel's number in the file; 0 until it has a cell there.
        self._session = 0
        self._kept = 0

    def add(self, code: str, *, number: int, target: str) -> None:
        """Keep a cell, soon; it never waits and never raises.

        Args:
            code: The cell.
            number: Its execution count.
            target: Where it is run; empty for nowhere.
        """
        if not code.strip() or len(code) > LONGEST:
            return
        with self._lock:
            self._pending.append((target, number, code))
            first = len(self._pending) == 1
        if first:
            self._executor().submit(self._write_together)

    def find(self, search: Search, *, target: str) -> list[Entry]:
        """Return what `search` asks for, oldest first; empty where the file cannot be read.

        Args:
            search: The question.
            target: Whose cells are meant, beside this kernel's own; empty for everybody's.
        """
        self._wanted.set()
        return self._executor().submit(self._find, search, target).result()

    def close(self) -> None:
        """Write what is left."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._wanted.set()
            done = thread.submit(self._close)
            with contextlib.suppress(TimeoutError):
                done.result(CLOSE_TIMEOUT)
            thread.shutdown(wait=False)

    # In the thread

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="ctrkernel-history")
            return self._thread

    def _write_together(self) -> None:
        self._wanted.wait(WRITE_DELAY)
        self._write()

    def _write(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
        if pending:
            self._tried(lambda connection: self._insert(connection, pending))

    def _insert(
        self, connection: sqlite3.Connection, pending: list[tuple[str, int, str]]
    ) -> list[Entry]:
        with _transaction(connection):
            session = self._session or connection.execute(_NEXT_SESSION).fetchone()[0]
            # A surrogate, which a front end may send, is no text to SQLite.
            rows = [(target, session, number, _text(code)) for target, number, code in pending]
            connection.executemany(_ADD, [(*row[:3], self._mask.hide(row[3])) for row in rows])
            if self._kept // PRUNE_INTERVAL < (self._kept + len(rows)) // PRUNE_INTERVAL or (
                not self._kept
            ):
                prune(connection)
        self._session = session
        self._kept += len(rows)
        return []

    def _find(self, search: Search, target: str) -> list[Entry]:
        self._wanted.clear()
        self._write()
        if self._connection is None and not self._path.exists():
            return []
        found = self._tried(lambda connection: self._select(connection, search, target))
        if self._mask:
            found = [(session, line, self._mask.hide(source)) for session, line, source in found]
        return found

    def _select(self, connection: sqlite3.Connection, search: Search, target: str) -> list[Entry]:
        view: dict[str, Any] = {"target": _text(target), "session": self._session}
        if search.access == "tail":
            n = TAIL if search.n is None else max(0, search.n)
            return connection.execute(_TAIL, {**view, "n": n}).fetchall()[::-1]
        if search.access == "range":
            of = search.session or self._session
            if of < 0:
                sessions = [row[0] for row in connection.execute(_SESSIONS, view)]
                of = sessions[-of - 1] if -of <= len(sessions) else 0
            bounds = {"of": of, "start": search.start, "stop": search.stop}
            return connection.execute(_RANGE, bounds).fetchall()
        if search.access == "search":
            return matching(connection.execute(_ALL, view).fetchall(), search)
        return []

    def _close(self) -> None:
        self._write()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tried(self, work: Callable[[sqlite3.Connection], list[Entry]]) -> list[Entry]:
        """Do `work` with the file; where that fails, with what is in memory."""
        import sqlite3  # noqa: PLC0415 - a kernel's start does without it

        try:
            if self._connection is None:
                self._connection = self._open()
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            said = one_line(str(error))
        try:
            if self._connection is not None:
                self._connection.close()
            self._connection = _connect(":memory:")
            self._session = 0
            self._on_trouble(
                f"cells are not kept in {self._path}: {said}; remove it, or make it writable"
            )
            return work(self._connection)
        except sqlite3.Error:
            return []

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite would make it readable for others.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return _connect(str(self._path))


def matching(entries: list[Entry], search: Search) -> list[Entry]:
    """Return the entries that a search asks for, of all of them, oldest first."""
    pattern = (search.pattern or "*")[:LONGEST_PATTERN]
    # Python's translation does not try again what it has passed, as SQLite's own glob does.
    fits = re.compile(fnmatch.translate(pattern)).match
    found: list[Entry] = []
    seen: set[str] = set()
    for entry in reversed(entries):
        if search.n is not None and len(found) >= search.n:
            break
        if not fits(entry[2]) or (search.unique and entry[2] in seen):
            continue
        seen.add(entry[2])
        found.append(entry)
    return found[::-1]


def prune(
    connection: sqlite3.Connection,
    *,
    target_limit: int = TARGET_LIMIT,
    total_limit: int = TOTAL_LIMIT,
) -> None:
    """Drop the oldest cells of each target, then of all, until they are within the limits."""
    for partition, limit in (("PARTITION BY target", target_limit), ("", total_limit)):
        connection.execute(_PRUNE.format(partition=partition), {"cost": ROW_COST, "limit": limit})


def history_path(environ: Mapping[str, str]) -> Path:
    """Return the file: state, by the XDG base directory specification."""
    state = environ.get("XDG_STATE_HOME", "")
    home = Path(environ.get("HOME") or _home())
    base = Path(state) if os.path.isabs(state) else home / ".local" / "state"  # noqa: PTH117 - an empty name is not absolute
    return base / "ctrkernel" / "history.sqlite"


def _home() -> str:
    """Return the home that the system knows; a folder that all may write would not be private."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/nonexistent"


def _connect(name: str) -> sqlite3.Connection:
    import sqlite3  # noqa: PLC0415

    # Transactions are begun by hand: one that reads first could not always go on to write.
    connection = sqlite3.connect(name, timeout=BUSY_TIMEOUT, isolation_level=None)
    try:
        # No write-ahead log: it takes shared memory, which network file systems have not.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_TABLE)
        connection.execute(_INDEX)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Any:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
