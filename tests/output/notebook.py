"""A notebook that keeps what a flow sends, as Jupyter's protocol has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctrkernel.output.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ctrkernel.output.files import File


class Kept:
    """A file in memory."""

    def __init__(self) -> None:
        self.text = ""
        self.path: Path | None = None
        self.trouble = ""
        self.closed = False
        self.size = 0
        self.full = False

    def write(self, text: str) -> None:
        if self.full:
            self.trouble = "No space left on device"
            return
        self.text += text
        self.size += len(text.encode())
        self.path = "FILE"  # type: ignore[assignment]

    def close(self) -> None:
        self.closed = True

    def discard(self) -> None:
        self.text, self.path = "", None


class Notebook:
    """A flow, what it sends, and a clock that only :meth:`wait` moves."""

    def __init__(
        self, *, limit: int | None = None, size: tuple[int, int] = (120, 40), **options: Any
    ) -> None:
        self.messages: list[tuple[str, Mapping[str, Any]]] = []
        self.behind = False
        self.kept = Kept()
        self._outputs: list[dict[str, Any]] = []
        self._clearing = False
        self._due: list[tuple[float, Callable[[], None]]] = []
        self.now = 1000.0
        self.flow = Flow(
            self,
            limit=lambda: limit,
            keep=self.kept,
            render=rendered,
            wake=lambda delay, call: self._due.append((self.now + delay, call)),
            size=size,
            clock=lambda: self.now,
            **options,
        )

    def stream(self, text: str) -> None:
        self.send("stream", {"name": "stdout", "text": text})

    def send(self, kind: str, content: Mapping[str, Any]) -> None:
        self.messages.append((kind, content))
        if kind == "clear_output":
            self._clearing = True
            if not content["wait"]:
                self._outputs.clear()
        elif kind == "update_display_data":
            for output in self._outputs:
                if output["transient"].get("display_id") == content["transient"]["display_id"]:
                    output.update(content)
        else:
            if self._clearing:
                self._outputs.clear()
            self._clearing = False
            self._outputs.append({"transient": {}, **content})

    def wait(self, seconds: float = 5.0) -> None:
        """Let time pass, and have what is due called."""
        end = self.now + seconds
        while self._due and min(due for due, _ in self._due) <= end:
            self._due.sort(key=lambda each: each[0])
            due, call = self._due.pop(0)
            self.now = max(self.now, due)
            call()
        self.now = end

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """What is stored."""
        return self._outputs

    @property
    def text(self) -> str:
        """The text that is stored."""
        return "".join(output.get("text", "") for output in self._outputs)

    @property
    def shown(self) -> str:
        """All text that is to be seen."""
        return "".join(
            output["text"] if "text" in output else output["data"]["text/plain"]
            for output in self._outputs
        )


def rendered(file: File) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"text/plain": f"[{file.name} {file.kind} {len(file.content)}]"}, {}
