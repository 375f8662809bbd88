"""What a person can set for a notebook: by ``%ctr_config``, or before it starts by a variable."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ctrkernel.commands.setting_forms import (
    number,
    one_of,
    or_none,
    program,
    size_or_none,
    time_or_none,
)
from ctrkernel.errors import UsageError
from ctrkernel.output.size import format_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: The least limit that makes sense: below it head and tail are no lines any more.
LEAST_OUTPUT_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set.

    Attributes:
        name: What is typed before the equals sign.
        form: What may be typed after it, for the help and for errors.
        parse: Reads that; raises ValueError where it does not fit.
        show: Writes a value as it would be typed.
        default: The value where nothing is set, as it would be typed.
        help: One line.
        variable: The variable of the environment that sets it; empty for none.
        foreign: Whether that variable is not ours alone, so that nonsense in it is the default.
    """

    name: str
    form: str
    parse: Callable[[str], Any]
    show: Callable[[Any], str]
    default: str
    help: str
    variable: str = ""
    foreign: bool = False


SETTINGS: Final = (
    Setting(
        "output_limit",
        "SIZE|none",
        size_or_none(LEAST_OUTPUT_LIMIT),
        or_none(lambda limit: format_size(limit).replace(" ", "").replace(".0", "")),
        "1MB",
        "how much of a cell's output the notebook holds; the whole of longer output is in a file",
        "CTRKERNEL_OUTPUT_LIMIT",
    ),
    Setting(
        "trust",
        "none|html",
        one_of("none", "html"),
        str,
        "none",
        "whether HTML that comes out of a container is shown as such, and not as text",
    ),
    Setting(
        "width",
        "10..1000",
        number(10, 1000),
        str,
        "120",
        "the terminal's width in characters, at once",
        "COLUMNS",
        foreign=True,
    ),
    Setting(
        "height",
        "2..1000",
        number(2, 1000),
        str,
        "40",
        "the terminal's height, at once",
        "LINES",
        foreign=True,
    ),
    Setting(
        "term",
        "NAME",
        program,
        str,
        "xterm-256color",
        "TERM of the shells, at once in those at their prompt",
        "CTRKERNEL_TERM",
    ),
    Setting(
        "pager",
        "PROGRAM",
        program,
        str,
        "cat",
        "PAGER of the shells, and git's, man's, systemctl's and psql's, as with term",
        "CTRKERNEL_PAGER",
    ),
    Setting(
        "timeout",
        "TIME|none",
        time_or_none,
        or_none("{:g}".format),
        "none",
        "seconds, or 5m, after which shell code is interrupted that says no --timeout",
        "CTRKERNEL_TIMEOUT",
    ),
    Setting(
        "stderr",
        "merged|split",
        one_of("merged", "split"),
        str,
        "merged",
        "whether the kernel tells the stderr of its main shell, a bash, apart from stdout",
        "CTRKERNEL_STDERR",
    ),
    Setting(
        "failure_line",
        "on|off",
        one_of("on", "off"),
        str,
        "on",
        "whether the kernel's line of a failed cell says how long it took, and where",
        "CTRKERNEL_FAILURE_LINE",
    ),
    Setting(
        "stop_on_error",
        "on|off",
        one_of("on", "off"),
        str,
        "on",
        "whether a status other than 0 is an error, at which a notebook of this kernel stops",
        "CTRKERNEL_STOP_ON_ERROR",
    ),
    Setting(
        "timestamps",
        "on|off",
        one_of("on", "off"),
        str,
        "off",
        "whether the kernel says, before and behind a cell's output, when it began and ended",
        "CTRKERNEL_TIMESTAMPS",
    ),
    Setting(
        "cell_record",
        "on|off",
        one_of("on", "off"),
        str,
        "off",
        "whether the notebook keeps, in an output that does not show, what a cell ran on",
        "CTRKERNEL_CELL_RECORD",
    ),
    Setting(
        "history",
        "on|off",
        one_of("on", "off"),
        str,
        "on",
        "whether the kernel keeps its cells for the arrow keys, and for later kernels",
        "CTRKERNEL_HISTORY",
    ),
)


class Settings:
    """A notebook's settings; usable from any thread.

    Args:
        environ: Where the variables are looked up.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known = {setting.name: setting for setting in SETTINGS}
        self._lock = threading.Lock()
        self._values: dict[str, Any] = {}

    def __iter__(self) -> Iterator[Setting]:
        """Iterate over what can be set."""
        return iter(self._known.values())

    def find(self, name: str) -> Setting:
        """Return the setting `name`.

        Raises:
            UsageError: There is none.
        """
        if name not in self._known:
            raise UsageError(
                f"there is no setting '{name}'; there are: {', '.join(self._known)}; "
                "type %ctr_config"
            )
        return self._known[name]

    def __getitem__(self, name: str) -> Any:
        """Return a setting's value.

        Raises:
            UsageError: The environment gives it a word that does not fit.
        """
        setting = self.find(name)
        with self._lock:
            if name not in self._values:
                word = self._environ.get(setting.variable, "") if setting.variable else ""
                try:
                    self._values[name] = _parsed(setting, word, setting.variable)
                except UsageError:
                    if not setting.foreign:
                        raise
                    self._values[name] = setting.parse(setting.default)
            return self._values[name]

    def check(self) -> None:
        """Raise UsageError where the environment gives a setting a word that does not fit."""
        if len(self._values) == len(self._known):
            return
        for name in self._known:
            self[name]

    @property
    def output_limit(self) -> int | None:
        """Bytes of a cell's output that the notebook may hold; the default if that is unclear."""
        limit: int | None = self.known("output_limit")
        return limit

    def known(self, name: str) -> Any:
        """Return a setting's value; the default if the environment gives it nonsense.

        Who runs a cell is told by :meth:`check`; this is for what happens meanwhile.
        """
        try:
            return self[name]
        except UsageError:
            setting = self.find(name)
            return setting.parse(setting.default)

    def update(self, words: Mapping[str, str]) -> None:
        """Set each name to what its word says, all or none; an empty word is the default.

        Raises:
            UsageError: There is no such setting, or a word does not fit.
        """
        values = {name: _parsed(self.find(name), word, name) for name, word in words.items()}
        with self._lock:
            self._values.update(values)


def _parsed(setting: Setting, word: str, origin: str) -> Any:
    try:
        return setting.parse(word or setting.default)
    except ValueError as error:
        raise UsageError(
            f"{origin}={word}: not of the form {setting.form}; "
            f"type %ctr_config {setting.name}={setting.default}"
        ) from error
