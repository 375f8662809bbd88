"""The staging folder of a put, in the container; see :mod:`.stage` for the one on this machine."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
from typing import TYPE_CHECKING, Final, Self

from ctrkernel.engine.reaper import Reaper, unable_argv
from ctrkernel.errors import CtrKernelError, TransferError, one_line
from ctrkernel.transfer import stage_owner
from ctrkernel.transfer.remote import failure
from ctrkernel.transfer.stage import PREFIX, file_onto_folder, folder_onto_file

if TYPE_CHECKING:
    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.pack import Extent

#: Seconds for the renames in a container: `mv` across a mount copies.
PLACE_TIMEOUT: Final = 300.0
#: Seconds for removing what was staged.
REMOVE_TIMEOUT: Final = 30.0
#: Statuses of the script for what is in the way: a folder onto a file, a file onto a folder; and
#: for a stage that does not hold what was sent.
_FOLDER_ONTO_FILE, _FILE_ONTO_FOLDER, _NOT_COMPLETE = 73, 74, 75
#: $1 is the staging folder, $2 the destination, $3 and $4 how many files there are and their
#: bytes, $5 is `n` to leave what exists alone, $6 how the stages of this container begin, $7 how
#: those of its present run do, $8 is `tar` to unpack stdin first. All is checked before anything
#: moves. At the end it removes stages of earlier runs, and lists those of this one.
_SCRIPT: Final = r"""
LC_ALL=C; export LC_ALL
check() (
  for e in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$e" ] || [ -h "$e" ] || continue
    t=$2/${e##*/}
    if [ -d "$e" ] && [ ! -h "$e" ]; then
      if [ -h "$t" ] || { [ -e "$t" ] && [ ! -d "$t" ]; }; then printf '%s' "$t"; exit 73; fi
      if [ -d "$t" ]; then check "$e" "$t" || exit; fi
    elif [ -d "$t" ] && [ ! -h "$t" ]; then printf '%s' "$t"; exit 74
    fi
  done
)
flush() { [ "$#" -eq 1 ] || { d=$1; shift; mv "-${clobber:-f}" -- "$@" "$d/"; }; }
move() (
  s=$1 d=$2; shift 2; n=0
  for e in "$s"/* "$s"/.[!.]* "$s"/..?*; do
    [ -e "$e" ] || [ -h "$e" ] || continue
    t=$d/${e##*/}
    if [ -d "$e" ] && [ ! -h "$e" ] && [ -d "$t" ]; then move "$e" "$t" || exit
    else
      set -- "$@" "$e"; n=$((n + 1))
      if [ "$n" -ge 200 ]; then flush "$d" "$@" || exit; set --; n=0; fi
    fi
  done
  flush "$d" "$@"
)
sizes() {
  if ! command -v find >/dev/null 2>&1; then
    ls -lnR -- "$1" | while read -r p l u g s rest; do case $p in -*) echo "$s"; esac; done
  elif find "$1" -maxdepth 0 -printf '' 2>/dev/null; then find "$1" -type f -printf '%s\n'
  elif command -v stat >/dev/null 2>&1; then find "$1" -type f -exec stat -c %s {} +
  else find "$1" -type f -exec ls -ln -- {} + | while read -r p l u g s rest; do echo "$s"; done
  fi
}
weigh() {
  if command -v awk >/dev/null 2>&1; then awk '{ n++; b += $1 } END { printf "%.0f %.0f\n", n, b }'
  else n=0 b=0; while read -r s; do n=$((n+1)) b=$((b+s)); done; echo "$n $b"; fi
}
complete() {
  [ "$2" ] || return 0
  found=$(sizes "$1" | weigh)
  [ "$found" = "$2 $3" ] || { printf '%s' "$found"; exit 75; }
}
d=${2%/} clobber=$5
if [ "$8" = tar ]; then
  tar -xpf - -C "$2" || { rm -rf -- "$1"; exit 76; }
fi
(complete "$1" "$3" "$4" && check "$1" "$d" && move "$1" "$d")
code=$?
if [ "$code" = 0 ] || [ "$8" = tar ]; then rm -rf -- "$1"; fi
for e in "$d/$6"*; do
  [ -d "$e" ] && [ ! -h "$e" ] || continue
  case $e in
  "$d/$7"*) [ "$code" != 0 ] || printf '%s\n' "${e##*/}" ;;
  *) rm -rf -- "$e" ;;
  esac
done
exit "$code"
"""
#: Removes stages, and first the script above where it still waits to be sent an archive for one:
#: an engine that was killed, or started again, beside containers that run on (``live-restore``)
#: never tells the programs that it ran of their input's end. Each leads a group of its own.
_REMOVE: Final = r"""
for p in /proc/[0-9]*; do
  c=$(tr '\0' ' ' <"$p/cmdline")
  for stage; do
    case $c in *'tar -xp'[f]*" $stage "*) kill -9 "-${p#/proc/}" ;; esac
  done
done 2>/dev/null
rm -rf -- "$@" || exit 77
"""
#: Its status for what it could not remove, in the end.
_CANNOT: Final = 77


class RemoteStage:
    """The staging folder of a put; a context manager, which removes it after an error.

    The archive itself makes it. If this process is killed a reaper removes it, and so it does if
    the engine does not answer for the moment, or the container is paused. What is left after all,
    of a container or an engine that was killed, the next put into the same folder removes.

    Args:
        engine: The engine.
        container: The container.
        folder: The destination folder, without links.
        user: Who else may move the files, if root may not: it lacks the capability in some.
        boot: Tells this run of the container from the next.
    """

    def __init__(
        self,
        engine: Engine,
        container: ContainerInfo,
        *,
        folder: str,
        user: str,
        boot: str,
    ) -> None:
        self._engine = engine
        self._container = container
        self._folder = folder
        self._users = ("0", user)
        self._mine = f"{PREFIX}{container.id[:12]}-"
        self._now = f"{self._mine}{boot or 'x'}-"
        self._reaper: Reaper | None = None
        self.name = f"{self._now}{stage_owner.tag()}-{secrets.token_hex(6)}"

    def __enter__(self) -> Self:
        stage_owner.hold(self.name)
        remove = " || ".join(
            shlex.join(self._engine.exec_argv(self._container.id, self._remove, user=user))
            for user in dict.fromkeys(self._users)
        )
        argv = ["sh", "-c", f"{remove}; code=$?; [ $code = 0 ] || [ $code = {_CANNOT} ]"]
        self._reaper = Reaper(
            argv, unable=unable_argv(self._engine, self._container.id), environ=os.environ
        )
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        removed = error is None or self.remove()
        stage_owner.let_go(self.name)
        if self._reaper is not None:
            if removed:
                self._reaper.dismiss()
            else:
                self._reaper.release()

    @property
    def path(self) -> str:
        """Where it is in the container."""
        return f"{self._folder.rstrip('/')}/{self.name}"

    @property
    def life(self) -> int:
        """A descriptor that a child inherits which still writes to it; see :class:`Reaper`."""
        assert self._reaper is not None
        return self._reaper.life

    @property
    def _remove(self) -> list[str]:
        return ["sh", "-c", _REMOVE, "sh", self.path]

    def unpack_argv(self, extent: Extent, *, clobber: bool) -> list[str]:
        """Return the argv of a client that unpacks the archive on its stdin and places all of it.

        Its status and output are for :meth:`explain`.
        """
        return self._engine.exec_argv(
            self._container.id,
            self._argv(extent, clobber=clobber, unpack=True),
            interactive=True,
            user="0",
        )

    def place(self, extent: Extent | None = None, *, clobber: bool = True) -> None:
        """Move everything in it to its place and remove it; nothing can interrupt that.

        Args:
            extent: What it must hold; None if nobody knows.
            clobber: Replace files that exist.

        Raises:
            TransferError: It is not complete, something is in the way, or the move failed.
        """
        argv = self._argv(extent, clobber=clobber, unpack=False)
        code, said, complaint = 0, "", ""
        for user in dict.fromkeys(self._users):
            command = self._engine.exec_argv(self._container.id, argv, user=user)
            done = self._engine.run(command[1:], timeout=PLACE_TIMEOUT)
            code, said = done.exit_code, done.stdout.decode(errors="replace")
            complaint = complaint or done.message
            # A root without its capabilities may not even look into what is another's.
            if code in {0, _FOLDER_ONTO_FILE, _FILE_ONTO_FOLDER}:
                break
        if code:
            raise self.explain(code, said, complaint, extent)
        self.tidy(said)

    def tidy(self, said: str) -> None:
        """Remove the stages that the script listed, of which nobody is the owner any more."""
        mine = re.compile(re.escape(self._now) + r"[0-9a-f.]+-[0-9a-f]+")
        left = [
            name
            for name in said.splitlines()
            if mine.fullmatch(name) and stage_owner.is_left_over(name)
        ]
        if left:
            folder = self._folder.rstrip("/")
            self._run([*self._remove[:-1], *(f"{folder}/{name}" for name in left)])

    def explain(self, code: int, said: str, complaint: str, extent: Extent | None) -> TransferError:
        """Say why the script failed.

        Args:
            code: Its exit status.
            said: What it printed.
            complaint: What it, or the engine, said on stderr.
            extent: What was sent.
        """
        where = f"{self._container.name}:"
        if code == _FOLDER_ONTO_FILE:
            return folder_onto_file(where + said)
        if code == _FILE_ONTO_FOLDER:
            return file_onto_folder(where + said)
        doing = f"cannot write to {where}{one_line(self._folder)}"
        if code == _NOT_COMPLETE and extent is not None:
            return TransferError(
                f"{doing}: {extent.files} files of {extent.weight} bytes were sent and "
                f"{' of '.join(said.split())} bytes arrived; nothing was changed, try again"
            )
        return failure(self._engine, self._container, doing=doing, said=complaint)

    def remove(self) -> bool:
        """Remove it, as far as the container still can; never raises an error of ours."""
        return self._run(self._remove)

    def _run(self, argv: list[str]) -> bool:
        for user in dict.fromkeys(self._users):
            with contextlib.suppress(CtrKernelError):
                command = self._engine.exec_argv(self._container.id, argv, user=user)
                if self._engine.run(command[1:], timeout=REMOVE_TIMEOUT).exit_code == 0:
                    return True
        return False

    def _argv(self, extent: Extent | None, *, clobber: bool, unpack: bool) -> list[str]:
        words = [
            self.path,
            self._folder,
            "" if extent is None else str(extent.files),
            "" if extent is None else str(extent.weight),
            "" if clobber else "n",
            self._mine,
            self._now,
            "tar" if unpack else "",
        ]
        return ["sh", "-c", _SCRIPT, "sh", *words]
