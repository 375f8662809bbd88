"""Which paths of a container begin with some text; asked by an exec of its own, not by typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from ctrkernel.engine.engine import Engine

#: Paths that are returned at most; nobody reads more of them in a menu.
MOST = 500

#: $1 directory, empty for where an exec starts; $2 home, empty for $HOME; $3 beginning; $4 most.
#: Builtins of a POSIX shell alone, because an image may hold nothing else.
_LIST = r"""
[ -z "${ZSH_VERSION-}" ] || { emulate sh; setopt nonomatch; }
set +f
[ -z "$1" ] || cd -- "$1" 2>/dev/null || exit 1
case $3 in
  "~/"*) base=${2:-$HOME}/ rest=${3#??} tilde="~/" ;;
  *) base= rest=$3 tilde= ;;
esac
count=0
for path in "$base$rest"*; do
  [ -e "$path" ] || [ -L "$path" ] || continue
  count=$((count+1)); [ "$count" -le "$4" ] || break
  if [ -d "$path" ]; then slash=/; else slash=; fi
  printf '%s%s%s\0' "$tilde" "${path#"$base"}" "$slash"
done
"""


def paths(
    engine: Engine,
    container: str,
    beginning: str,
    *,
    cwd: str = "",
    home: str = "",
    helper: str = "sh",
    timeout: float,
) -> list[str]:
    """List the paths that begin with `beginning`, folders with a ``/`` behind them.

    Args:
        engine: The engine's command line.
        container: A name or an id.
        beginning: Absolute, relative to `cwd`, or behind ``~/``.
        cwd: A directory in the container; empty for where an exec starts.
        home: What ``~`` means; empty for ``$HOME``.
        helper: A shell of the POSIX family in it.
        timeout: Seconds.

    Returns:
        As typed, so relative ones stay relative; none where nobody could say.
    """
    script = (helper, "-c", _LIST, helper, cwd, home, beginning, str(MOST))
    argv = engine.exec_argv(container, script)
    try:
        done = engine.run(argv[1:], timeout=timeout)
    except CtrKernelError:
        return []
    return [name.decode(errors="replace") for name in done.stdout.split(b"\0") if name]
