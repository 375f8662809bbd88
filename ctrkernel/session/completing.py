"""What a container knows that may be typed: programs, paths, users, and what a program takes.

Questions to the shell beside a session's (:mod:`~ctrkernel.session.side_shell`). What was typed is
an argument of theirs, and never a command or a pattern.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctrkernel.session.shell import ShellSession

#: Answers of one kind that are returned at most; nobody reads more of them in a menu.
MOST: Final = 1000

#: $1 beginning; $2 where to look for programs, or empty; $3 most. bash finds them by itself, but
#: tells its own words and functions among them.
_COMMANDS: Final = r"""
[ -z "$2" ] || PATH=$2
if [ -n "${BASH_VERSION-}" ]; then
  compgen -A function -P 'f ' -- "$1"
  compgen -b -P 'b ' -- "$1"
  compgen -k -P 'k ' -- "$1"
  compgen -c -P 'c ' -- "$1"
  return 0
fi
prefix=$1 most=$3 count=0
set -f; IFS=:; set -- $PATH; unset IFS; set +f
for dir; do
  for file in "${dir:-.}/$prefix"*; do
    if [ -x "$file" ] && [ ! -d "$file" ]; then
      count=$((count+1)); [ "$count" -le "$most" ] || return 0
      printf 'c %s\n' "${file##*/}"
    fi
  done
done
"""

#: $1 the session's shell; $2 its directory, should /proc not tell; $3 folder; $4 beginning of a
#: name in it; $5 most; $6 what: d folders, x folders and programs, or all; $7 a pattern of bash's
#: for what stands behind a file's dot, from bash-completion.
_PATHS: Final = r"""
cd -- "/proc/$1/cwd" 2>/dev/null || cd -- "$2" 2>/dev/null
count=0
[ -z "$7" ] || [ -z "${BASH_VERSION-}" ] || shopt -s extglob
for file in "$3$4"*; do
  [ -e "$file" ] || [ -L "$file" ] || continue
  name=${file#"$3"}
  case $name in .|..) continue;; esac
  if [ -d "$file" ]; then kind=d
  elif [ "$6" = d ]; then continue
  elif [ "$6" = x ] && [ ! -x "$file" ]; then continue
  elif [ -n "$7" ] && [ -n "${BASH_VERSION-}" ] && eval '[[ $file != *.$7 ]]'; then continue
  else kind=-; fi
  count=$((count+1)); [ "$count" -le "$5" ] || break
  printf '%s%s\0' "$kind" "$name"
done
"""

#: $1 the beginning of a name.
_USERS: Final = r"""
while IFS=: read -r name word uid gid comment home rest; do
  case $name in "$1"*) printf '%s:%s\n' "$name" "$home";; esac
done </etc/passwd
"""

#: What follows runs in bash alone; the other shells could not even read it.
_IN_BASH: Final = r"""
shopt -s extglob progcomp
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
compopt() {
  while [ $# -gt 0 ]; do
    case $1 in
      -o) __ctrk_opts+=" $2 "; shift;;
      +o) __ctrk_opts=${__ctrk_opts// $2 /}; shift;;
    esac
    shift
  done
}
__ctrk_spec() { complete -p -- "$1" 2>/dev/null || complete -p -- "${1##*/}" 2>/dev/null; }
__ctrk_load() {
  __ctrk_spec "$1" >/dev/null && return
  if declare -F _comp_load >/dev/null; then _comp_load "${1##*/}"
  elif declare -F __load_completion >/dev/null; then __load_completion "${1##*/}"
  fi >/dev/null
}
__ctrk_complete() {
  local __ctrk_cmd=$4 __ctrk_cur=$2 __ctrk_prev= __ctrk_opts= __ctrk_func= __ctrk_prog= __ctrk_turn
  local __ctrk_suffix=
  local -a __ctrk_rest __ctrk_found
  COMP_CWORD=$1 COMP_LINE=$3 COMP_POINT=${#3} COMP_TYPE=9 COMP_KEY=9
  shift 3
  COMP_WORDS=("$@")
  [ "$COMP_CWORD" -lt 1 ] || __ctrk_prev=${COMP_WORDS[COMP_CWORD-1]}
  for __ctrk_turn in 1 2; do
    eval "set -- $(__ctrk_spec "$__ctrk_cmd")"
    [ $# -gt 0 ] || return 0
    shift; __ctrk_func= __ctrk_prog= __ctrk_opts=' ' __ctrk_rest=()
    while [ $# -gt 1 ]; do
      case $1 in
        -F) __ctrk_func=$2; shift;;
        -C) __ctrk_prog=$2; shift;;
        -o) __ctrk_opts+=" $2 "; shift;;
        -[AGWPSX]) __ctrk_rest+=("$1" "$2"); shift;;
        -?) __ctrk_rest+=("$1");;
      esac
      shift
    done
    COMPREPLY=()
    [ -n "$__ctrk_func" ] || break
    "$__ctrk_func" "$__ctrk_cmd" "$__ctrk_cur" "$__ctrk_prev" >/dev/null
    # It has loaded another one.
    [ $? = 124 ] || break
  done
  if [ -n "$__ctrk_prog" ]; then
    export COMP_LINE COMP_POINT COMP_TYPE COMP_KEY
    mapfile -t COMPREPLY < <(eval "$__ctrk_prog"' "$__ctrk_cmd" "$__ctrk_cur" "$__ctrk_prev"')
  fi
  if [ ${#__ctrk_rest[@]} -gt 0 ]; then
    mapfile -t __ctrk_found < <(compgen "${__ctrk_rest[@]}" -- "$__ctrk_cur")
    COMPREPLY+=("${__ctrk_found[@]}")
  fi
  printf '%s\0%s\0' "$__ctrk_opts" "$__ctrk_suffix"
  local __ctrk_kind __ctrk_each
  for __ctrk_each in "${COMPREPLY[@]:0:1000}"; do
    __ctrk_kind=-
    case $__ctrk_opts in *" filenames "*)
      [ ! -d "${__ctrk_each/#\~\//$HOME/}" ] || __ctrk_kind=d;;
    esac
    printf '%s%s\0' "$__ctrk_kind" "$__ctrk_each"
  done
}
# What lists files in bash-completion, before 2.12 and after: we know better how to write them.
__ctrk_files() {
  case ${1-} in -d) __ctrk_opts+=' dirnames ';; *) __ctrk_suffix=${1-};; esac
  __ctrk_opts+=' paths '
}
for __ctrk_file in /usr/share/bash-completion /usr/local/share/bash-completion /etc; do
  if [ -r "$__ctrk_file/bash_completion" ]; then . "$__ctrk_file/bash_completion"; break; fi
done
_filedir() { __ctrk_files "$@"; }
_comp_compgen_filedir() { __ctrk_files "$@"; }
"""
#: $1 the session's shell; $2 its directory; $3 where it looks for programs; $4 a specification of
#: the person's; $5 their functions, or empty; $6 which word; $7 what it means so far; $8 the line;
#: then its words. The bash that is asked reads bash-completion at its first question, and what it
#: has for a program once; the person's are forgotten after each.
_PROGRAMMED: Final = r"""
[ -n "${BASH_VERSION-}" ] || return 0
[ -z "$3" ] || PATH=$3
[ -n "${__ctrk_loaded-}" ] || { __ctrk_loaded=yes; eval "$__ctrk_in_bash"; }
[ -n "$4" ] || __ctrk_load "$9"
(
  cd -- "/proc/$1/cwd" 2>/dev/null || cd -- "$2" 2>/dev/null
  [ -z "$5" ] || eval "$5"
  [ -z "$4" ] || eval "$4"
  shift 5
  __ctrk_complete "$@"
)
"""
_PREPARE: Final = "__ctrk_in_bash=$1"


@dataclass(frozen=True, slots=True)
class Programmed:
    """What bash-completion has for a word.

    Attributes:
        options: Of the specification: ``filenames``, ``nospace``, ``default`` and so on; ``paths``
            where files are asked for too.
        suffix: A pattern of bash's for the endings of those.
        words: What may stand there, and whether it is a folder.
    """

    options: frozenset[str]
    suffix: str
    words: tuple[tuple[str, bool], ...]


class Container:
    """Questions about one session's container.

    Args:
        session: The session.
    """

    def __init__(self, session: ShellSession) -> None:
        self._session = session

    def commands(
        self, beginning: str, *, path: str, bash: bool, timeout: float
    ) -> list[tuple[str, str]]:
        """Return programs that begin so, by kind: ``command``, ``builtin``, ``keyword``.

        Args:
            beginning: Of the name.
            path: Where to look for them; empty for the container's own.
            bash: Whether bash's own words are to be told too.
            timeout: Seconds.
        """
        printed = self._session.side.request(_COMMANDS, beginning, path, str(MOST), timeout=timeout)
        found: dict[str, set[str]] = {letter: set() for letter in "fbkc"}
        for line in _text(printed).split("\n"):
            if line[:1] in found and line[1:2] == " ":
                found[line[0]].add(line[2:])
        programs = found["c"] - found["f"] - found["b"] - found["k"]
        answer = [("command", name) for name in programs]
        if bash:
            answer += [("builtin", name) for name in found["b"]]
            answer += [("keyword", name) for name in found["k"]]
        return answer

    def paths(
        self, folder: str, beginning: str, *, what: str = "", suffix: str = "", timeout: float
    ) -> list[tuple[str, bool]]:
        """Return names in a folder that begin so, and whether each is a folder.

        Args:
            folder: With a ``/`` at its end; empty for the session's directory.
            beginning: Of the name.
            what: ``d`` for folders alone, ``x`` for folders and programs, empty for all.
            suffix: A pattern of bash's that files' endings must match; empty for any.
            timeout: Seconds.
        """
        printed = self._session.side.request(
            _PATHS, *self._place(), folder, beginning, str(MOST), what, suffix, timeout=timeout
        )
        return [(name[1:], name[0] == "d") for name in _text(printed).split("\0") if name]

    def users(self, beginning: str, *, timeout: float) -> list[tuple[str, str]]:
        """Return users whose names begin so, and their homes."""
        printed = self._session.side.request(_USERS, beginning, timeout=timeout)
        pairs = [line.partition(":") for line in _text(printed).splitlines()]
        return [(name, home) for name, _, home in pairs]

    def programmed(
        self,
        words: Sequence[str],
        current: str,
        *,
        line: str,
        path: str,
        spec: str = "",
        definitions: str = "",
        timeout: float,
    ) -> Programmed | None:
        """Return what bash-completion, or the person's own specification, has for the last word.

        Args:
            words: The command's, as typed, split where bash splits them.
            current: What the last one means.
            line: The command as typed.
            path: Where to look for programs.
            spec: The person's, a line of bash.
            definitions: Their functions, as code.
            timeout: Seconds.

        Returns:
            None where there is nothing for this command.
        """
        side, deadline = self._session.side, time.monotonic() + timeout
        if not side.defined(_PREPARE):
            side.request(_PREPARE, _IN_BASH, timeout=timeout, lasting=True)
        printed = side.request(
            _PROGRAMMED,
            *self._place(),
            path,
            spec,
            definitions,
            str(len(words) - 1),
            current,
            line,
            *words,
            timeout=deadline - time.monotonic(),
            lasting=True,
        )
        options, suffix, *found = [*_text(printed).split("\0")[:-1], "", ""]
        if not printed:
            return None
        pairs = tuple((word[1:].rstrip(" "), word[0] == "d") for word in found if word[1:])
        return Programmed(frozenset(options.split()), suffix, pairs)

    def _place(self) -> tuple[str, str]:
        return str(self._session.pid or "self"), self._session.cwd or "/"


def _text(printed: bytes) -> str:
    return printed.decode("utf-8", "surrogateescape")
