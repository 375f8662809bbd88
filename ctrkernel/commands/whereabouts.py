"""What a shell runs in: container, image, user; asked of the engine once for each shell."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from ctrkernel.session.shell import ShellSession

#: Seconds that the first cell of a shell waits at its end for the engine's answer.
ANSWER_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a shell runs.

    Attributes:
        container: The container's name.
        container_id: Its whole id.
        image: The image as it was named when the container was made.
        image_id: The image's id, ``sha256:…``.
        image_digest: ``NAME@sha256:…`` as a registry knows it; None for an image that was built
            here and never pushed.
        user: As configured; ``root`` where nothing is.
        directory: Where a shell starts.
    """

    container: str
    container_id: str
    image: str
    image_id: str
    image_digest: str | None
    user: str
    directory: str


class Scout:
    """Asks for the whereabouts of shells, in the background; usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: WeakKeyDictionary[ShellSession, Future[Whereabouts | None]] = (
            WeakKeyDictionary()
        )

    def ask(self, session: ShellSession) -> Future[Whereabouts | None]:
        """Return the answer for a shell, or what will hold it; None where the engine has none."""
        with self._lock:
            known = self._answers.get(session)
            if known is not None:
                return known
            answer = self._answers[session] = Future[Whereabouts | None]()
        thread = threading.Thread(
            target=_find, args=(session, answer), name="ctrkernel-scout", daemon=True
        )
        thread.start()
        return answer

    def known(self, session: ShellSession) -> Whereabouts | None:
        """Return what has been answered by now."""
        with self._lock:
            answer = self._answers.get(session)
        return answer.result() if answer is not None and answer.done() else None


def _find(session: ShellSession, answer: Future[Whereabouts | None]) -> None:
    from ctrkernel.engine.images import repo_digest  # noqa: PLC0415 - the shell starts meanwhile

    found = None
    try:
        info = session.engine.inspect(session.container)
        found = Whereabouts(
            container=info.name,
            container_id=info.id,
            image=info.image,
            image_id=info.image_id,
            image_digest=repo_digest(session.engine, info.image_id or info.image),
            user=info.user or "root",
            directory=info.workdir or "/",
        )
    except CtrKernelError:
        # The cell itself tells what is wrong with the container or the engine.
        pass
    finally:
        answer.set_result(found)
