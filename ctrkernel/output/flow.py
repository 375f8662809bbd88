"""A cell's output from the shell's text to what a notebook shows and stores.

Text that only runs on is passed through as it is. From the first redraw on a terminal's screen
shows what is to be seen, as one display that is updated; when the cell ends, everything is shown
once more in its final form, so that the notebook stores text and no history of it.
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from ctrkernel.output.limit import Keep, Limit
from ctrkernel.output.links import Links
from ctrkernel.output.plain import is_binary, is_plain, next_redraw, scan
from ctrkernel.output.record import Record, Shown
from ctrkernel.output.sequences import Dropped, Splitter, String, Text
from ctrkernel.output.size import encoded_size, format_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctrkernel.output.files import File, Files
    from ctrkernel.output.region import Region
    from ctrkernel.output.view import View

#: Seconds between two pictures of what redraws itself.
PICTURE_INTERVAL: Final = 0.1
#: Bytes a second that pictures may take, and so large ones come less often.
PICTURE_RATE: Final = 100_000
#: Seconds between two lines that tell how much there is.
STATUS_INTERVAL: Final = 1.0
#: Seconds without a redraw after which plain text is passed through again.
QUIET_INTERVAL: Final = 1.0
#: Bytes of finished lines in a picture from which on they are left behind.
FREEZE_SIZE: Final = 16_000
#: Characters of a line that waits for what follows its carriage return.
_LINE_LIMIT: Final = 4096
#: Characters before a redraw that may be drawn over.
_CONTEXT_LIMIT: Final = 32_000
#: Characters that a screen is fed at once; and plain ones that are not worth a screen.
_SLICE: Final = 8192
#: Characters at the end of what comes behind an interrupt that are still drawn: some screens.
_DRAWN_LATE: Final = 32_000
#: Files of one cell that are shown, and their bytes.
FILES_LIMIT: Final = 200
FILES_SIZE_LIMIT: Final = 10 * 10**6


class Flow:
    """One cell's output; usable from any thread.

    Args:
        view: Where it is shown.
        limit: Asked at the first output for the bytes that the notebook may hold; None for all.
        keep: Where the whole goes if it is more.
        render: Makes a file's forms by MIME type, and their metadata.
        wake: Called with seconds, and what is to be called after them; None where nobody can: then
            redraws are passed on as they are.
        retract: Whether what was shown may be taken back, to be shown in its final form.
        size: Columns and lines of the terminal.
        clock: The time in seconds.
    """

    def __init__(
        self,
        view: View,
        *,
        limit: Callable[[], int | None],
        keep: Keep,
        render: Callable[[File], tuple[dict[str, Any], dict[str, Any]]],
        wake: Callable[[float, Callable[[], None]], None] | None,
        retract: bool = True,
        size: tuple[int, int] = (120, 40),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._view = view
        self._clock = clock
        self._limit = Limit(limit, keep)
        self._render = render
        self._wake = wake
        self._retract = retract
        self._size = size
        self._lock = threading.RLock()
        self._splitter = Splitter()
        self._files: Files | None = None
        self._links = Links()
        self._record = Record()
        self._region: Region | None = None
        self._last_redraw = 0.0
        #: The last line, while it may be ended by a carriage return alone.
        self._pending = ""
        #: The display that is live, what it shows, and what of that is finished.
        self._live = ""
        self._shown = ""
        self._finished: list[str] = []
        self._finished_size = 0
        #: Whether the notebook does not store what it should until all is shown again.
        self._stale = False
        #: Whether something that was shown as text has to be taken back first.
        self._rewrite = False
        #: Whether a person has stopped it, and what came since and is not drawn yet.
        self._hurried = False
        self._undrawn = ""
        self._due: float | None = None
        self._next = 0.0
        self._files_count = self._files_size = 0
        self._ended = False

    def write(self, text: str) -> None:
        """Take output."""
        with self._lock:
            running_on = self._region is None and not self._pending and self._splitter.idle
            if running_on and is_plain(text):
                self._links.see(text)
                self._pass(text)
                return
            for token in self._splitter.feed(text):
                if isinstance(token, Text):
                    self._links.see(token.text)
                    self._text(token.text)
                elif isinstance(token, String):
                    self._string(token)
                else:
                    self._dropped(token)

    def insert(self, kind: str, content: Mapping[str, Any], *, size: int = 0) -> None:
        """Show something that is no text of the cell, after all that was printed until now."""
        with self._lock:
            self._settle()
            self._record.add(Shown(kind, content, size))
            self._view.send(kind, content)

    def tick(self) -> None:
        """Show what is due."""
        with self._lock:
            due, self._due = self._due, None
            if self._ended or due is None:
                return
            # Where so little comes, all is drawn again.
            self._hurried = self._hurried and len(self._undrawn) > _LINE_LIMIT
            self._draw_late()
            if self._pending and not self._view.behind:
                pending, self._pending = self._pending, ""
                self._redraws(pending)
            now = self._clock()
            if now < self._next or self._view.behind:
                self._want(max(self._next - now, PICTURE_INTERVAL))
            else:
                self._picture()

    def hurry(self) -> None:
        """Draw the end only of what piles up from here on; it never waits.

        A terminal, too, throws away what it has not shown when a person interrupts: termios(3).
        """
        self._hurried = True

    def finish(self) -> None:
        """Show all in its final form; what comes later is lost."""
        with self._lock:
            if self._ended:
                return
            for token in self._splitter.close():
                if isinstance(token, Dropped):
                    self._dropped(token)
            self._settle()
            self._ended = True
            between, tail = self._limit.finish()
            if self._live and not between:
                self._stale = True
            notice = {"data": {"text/plain": between}, "metadata": {}, "transient": {}}
            again = self._stale and self._retract and self._record.whole
            if between and self._live and not again:
                self._update(between)
            elif between:
                self._record.add(Shown("display_data", notice, len(between)))
                if not again:
                    self._view.send("display_data", notice)
            self._record.add_text(tail)
            if again:
                self._again()
            elif tail:
                self._view.stream(tail)

    # Text

    def _text(self, text: str) -> None:
        text, self._pending = self._pending + text, ""
        if is_binary(text):
            # A screen would take minutes for what nobody can read.
            self._settle()
            self._pass(text)
            return
        if self._region is not None and self._hurried:
            self._undrawn += text
            if len(self._undrawn) > 2 * _DRAWN_LATE:
                cut = self._undrawn.find("\x1b", len(self._undrawn) - _DRAWN_LATE)
                self._undrawn = self._undrawn[max(cut, len(self._undrawn) - _DRAWN_LATE) :]
            self._want(PICTURE_INTERVAL)
            return
        if self._region is not None:
            self._redraws(text)
            return
        if text.endswith("\r") and self._wake is not None:
            # A line feed may follow, or the line is drawn over.
            start = text.rfind("\n") + 1
            if len(text) - start <= _LINE_LIMIT:
                text, self._pending = text[:start], text[start:]
                self._want(PICTURE_INTERVAL)
        plain, redraw = scan(text)
        if redraw < 0 or self._wake is None:
            self._pass(plain if redraw < 0 else text)
            return
        start = plain.rfind("\n") + 1
        self._pass(plain[:start])
        self._redraws(plain[start:] + text[redraw:])

    def _pass(self, text: str) -> None:
        """Show text that is final."""
        if not text:
            return
        was_holding = self._limit.holding
        shown = self._limit.take(text)
        if shown:
            self._record.add_text(shown)
            if self._region is not None:
                self._finished.append(shown)
                self._finished_size += len(shown)
            else:
                self._view.stream(shown)
        if self._limit.holding:
            if not was_holding:
                self._freeze()
            self._want(STATUS_INTERVAL if self._region is None else PICTURE_INTERVAL)

    def _redraws(self, text: str) -> None:
        """Take text that redraws, and the plain text around it."""
        fed = position = 0
        while position < len(text):
            start, end = next_redraw(text, position)
            if self._region is None:
                line = text.rfind("\n", position, start) + 1 or position
                if start == len(text):
                    line = start
                self._pass(scan(text[position:line])[0])
                fed = position = line
                if start == len(text):
                    break
                self._begin()
            newline = text.find("\n", position, start) + 1
            if newline and self._runs_on(text, newline, start):
                self._feed(text[fed:newline])
                fed = position = newline
                if self._region is not None and self._region.tidy:
                    self._settle()
                    continue
            if start < len(text):
                self._last_redraw = self._clock()
            position = end
            if position - fed > _SLICE or position == len(text):
                self._feed(text[fed:position])
                fed = position
        self._want(PICTURE_INTERVAL)

    def _draw_late(self) -> None:
        """Draw what has piled up."""
        text, self._undrawn = self._undrawn, ""
        if text:
            self._redraws(text)

    def _feed(self, text: str) -> None:
        assert self._region is not None
        final = self._region.feed(text)
        self._take_back()
        self._pass(final)

    def _runs_on(self, text: str, start: int, end: int) -> bool:
        """Whether what is plain is so long, or came so late, that no screen is needed for it."""
        return (
            end - start > _SLICE
            or self._clock() - self._last_redraw > QUIET_INTERVAL
            or text.count("\n", start, end) >= self._size[1]
        )

    def _begin(self) -> None:
        """Put what is printed from here on onto a screen."""
        from ctrkernel.output.region import Region  # noqa: PLC0415 - most cells need no screen

        if self._limit.holding:
            context = ""
            first = self._limit.take_partial()
        elif self._retract and self._record.whole:
            context, first = self._record.last_text(_CONTEXT_LIMIT), ""
            lines = context.splitlines(keepends=True)[-self._size[1] :]
            context = "".join(lines if len(context) < _CONTEXT_LIMIT else lines[1:])
        else:
            context = first = ""
        self._region = Region(*self._size, context)
        self._region.feed(first)
        self._last_redraw = self._clock()

    def _settle(self) -> None:
        """End the screen, if there is one; all that was printed is final."""
        self._draw_late()
        if self._pending:
            pending, self._pending = self._pending, ""
            self._redraws(pending)
        region = self._region
        if region is None:
            return
        final = region.leave()
        self._take_back()
        self._pass(final + region.rest())
        self._region = None
        self._freeze()

    # What is shown

    def _take_back(self) -> None:
        """Take back what was shown and then drawn over."""
        region = self._region
        if region is None or not region.touched or not region.context:
            return
        context = region.context
        self._record.take_back(len(context))
        self._limit.give_back(context)
        leading = region.release()
        self._rewrite = True
        self._pass(leading)

    def _freeze(self) -> None:
        """Leave the finished lines behind; what comes is shown below them."""
        text = "".join(self._finished)
        self._finished.clear()
        self._finished_size = 0
        if self._rewrite:
            self._again()
        elif self._live:
            if not self._limit.holding or text:
                self._update(text)
                self._live = ""
        elif text:
            self._view.stream(text)

    def _picture(self) -> None:
        """Show what is to be seen now."""
        if self._rewrite:
            self._again(but="".join(self._finished))
        if self._finished_size > FREEZE_SIZE and self._live:
            self._freeze()
        text = "".join(self._finished)
        if self._limit.holding:
            text = self._limit.status()
        if self._region is not None:
            picture = self._region.picture()
            text = text + "\n" + picture if self._limit.holding else text + picture
        self._update(text)
        interval = STATUS_INTERVAL if self._limit.holding and self._region is None else 0.0
        self._next = self._clock() + max(PICTURE_INTERVAL, interval, len(text) / PICTURE_RATE)

    def _update(self, text: str) -> None:
        """Have the live display show `text`; there is one from the first text on."""
        if text == self._shown or not (text or self._live):
            return
        self._shown = text
        update = bool(self._live)
        if not update:
            self._live = uuid.uuid4().hex
            self._stale = self._stale or self._region is not None
        self._view.send(
            "update_display_data" if update else "display_data",
            {
                "data": {"text/plain": text.removesuffix("\n")},
                "metadata": {},
                "transient": {"display_id": self._live},
            },
        )

    def _again(self, *, but: str = "") -> None:
        """Show everything once more, as text, less `but` at its end."""
        self._rewrite = False
        self._live = self._shown = ""
        items = self._record.items()
        self._view.send("clear_output", {"wait": bool(items)})
        for item in items:
            if isinstance(item, Shown):
                self._view.send(item.kind, item.content)
            else:
                text = item[: len(item) - len(but)] if item is items[-1] else item
                if text:
                    self._view.stream(text)
        self._stale = False

    def _want(self, delay: float) -> None:
        """Ask for :meth:`tick`, once."""
        if self._due is None and self._wake is not None:
            self._due = self._clock() + delay
            self._wake(delay, self.tick)

    # Files and links

    def _string(self, string: String) -> None:
        if (link := self._links.take(string)) is not None:
            if link and self._region is None:
                self._text(link)
            return
        if self._files is None:
            from ctrkernel.output.files import Files  # noqa: PLC0415 - most cells show none

            self._files = Files()
        file = self._files.take(string)
        if isinstance(file, str):
            self._text(file)
        elif file is not None:
            self._file(file)

    def _dropped(self, token: Dropped) -> None:
        from ctrkernel.output.files import dropped  # noqa: PLC0415 - as above

        self._text(dropped(token))

    def _file(self, file: File) -> None:
        self._files_count += 1
        self._files_size += len(file.content)
        if (
            self._limit.holding
            or self._files_count > FILES_LIMIT
            or self._files_size > FILES_SIZE_LIMIT
        ):
            name = f"{file.name}, " if file.name else ""
            self._text(f"[a file: {name}{format_size(len(file.content))}; too many to show]\n")
            return
        data, metadata = self._render(file)
        size = sum(encoded_size(str(form)) for form in data.values())
        content = {"data": data, "metadata": metadata, "transient": {}}
        self.insert("display_data", content, size=size)
