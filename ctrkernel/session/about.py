"""What a shell and its container know of a name or a path; nothing that a person typed is run.

The person's own shell is asked by statements of ours while it is at its prompt, for it alone knows
its functions, aliases and variables. The rest is asked of the side shell.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import CtrKernelError, ShellBusy
from ctrkernel.session.aside import Aside

if TYPE_CHECKING:
    from ctrkernel.session.shell import ShellSession

#: Sections of what was printed, by their names.
Sections = dict[str, str]

#: Seconds that the person's shell may take; then it is interrupted.
SHELL_TIMEOUT: Final = 2.0
#: Seconds for what is read from files, the start of the shell that reads included.
LOOK_TIMEOUT: Final = 0.8
#: Seconds below which nothing is asked: a question that is not answered ends who answers.
LEAST_TIMEOUT: Final = 0.2
#: Seconds for a program that is run with ``--help``.
HELP_TIMEOUT: Final = 3.0
#: Characters of a value or a function's source.
LONGEST: Final = 8000

#: Begins a section: its name is the rest of the line.
_MARK: Final = "\x01"
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)

_BASH: Final = r"""
{own} printf '\001type\n'; {own} type -t -- {word} 2>/dev/null
{own} printf '\001path\n'; {own} type -P -- {word} 2>/dev/null
{own} printf '\001source\n'
__ctrk_v=$({own} declare -f -- {word} 2>/dev/null); {own} printf '%s\n' "${__ctrk_v:0:{longest}}"
"""
_BASH_VARIABLE: Final = r"""
{own} printf '\001variable\n'
__ctrk_v=$({own} declare -p -- {word} 2>/dev/null); {own} printf '%s\n' "${__ctrk_v:0:{longest}}"
"""
_ZSH: Final = r"""
{own} printf '\001type\n'; {own} whence -w -- {word} 2>/dev/null
{own} printf '\001path\n'; {own} whence -p -- {word} 2>/dev/null
{own} printf '\001source\n'
__ctrk_v=$({own} functions -- {word} 2>/dev/null); {own} printf '%s\n' "${__ctrk_v[1,{longest}]}"
"""
_ZSH_VARIABLE: Final = r"""
{own} printf '\001variable\n'
__ctrk_v=$({own} typeset -p -- {word} 2>/dev/null); {own} printf '%s\n' "${__ctrk_v[1,{longest}]}"
"""
_POSIX: Final = r"""
{own} printf '\001type\n'; {own} type {word} 2>/dev/null
"""
#: Only of a name: with ``=`` in it, ``alias`` would define one.
_ALIAS: Final = "{own} printf '\\001alias\\n'; {own} alias {flags}{word} 2>/dev/null\n"
_POSIX_VARIABLE: Final = r"""
case ${{word}+set} in set) {own} printf '\001variable\n'
{own} printf '%s="%.{longest}s"\n' {word} "${word}"
{own} printf '\001exported\n'
case "
$({own} export -p 2>/dev/null)" in *"
export {word}="*) {own} echo yes;; esac;; esac
"""
#: Not ``unset -v``: zsh's dialect takes it for a word that traces, and loses ``$_`` behind it.
_END: Final = "{own} unset __ctrk_v; {own} :\n"

#: $1 a name, $2 its path where that is known. Nothing is run but tools that read.
_PROGRAM: Final = r"""
if [ -n "${BASH_VERSION-}" ]; then
  kind=$(type -t -- "$1")
  printf '\001type\n%s\n' "$kind"
  case $kind in builtin|keyword) printf '\001help\n'; help -- "$1";; esac
fi
path=$2
if [ -n "$path" ]; then :
elif [ -n "${BASH_VERSION-}" ]; then path=$(type -P -- "$1")
else
  # A busybox that prefers its own programs names no path for them.
  IFS=:
  for each in $PATH; do [ ! -x "$each/$1" ] || { path=$each/$1; break; }; done
  unset IFS
fi
case $path in /*) ;; *) exit 0;; esac
printf '\001path\n%s\n' "$path"
real=$(readlink -f -- "$path") || real=$path
printf '\001real\n%s\n' "$real"
printf '\001head\n'; head -c 100 -- "$real" | tr -d '\0\001'
printf '\n\001package\n'
if [ -d /var/lib/dpkg/info ]; then
  for each in $(grep -lxF -e "$path" -e "${path#/usr}" -e "$real" -e "${real#/usr}" -- /var/lib/dpkg/info/*.list); do
    each=${each##*/}; printf '%s\n' "${each%.list}"; break
  done
elif command -v apk >/dev/null; then apk info -qW -- "$path"
elif command -v rpm >/dev/null; then rpm -qf --qf '%{NAME}\n' -- "$path"
fi
case $real in */busybox) printf '\001usage\n'; "$real" "$1" --help 2>&1 | head -n 60;; esac
"""  # noqa: E501 - a line of shell
#: $1 a name, prints the head of its manual page.
_PAGE: Final = r"""
command -v man >/dev/null && man -w -- "$1" >/dev/null || exit 0
name=$1; set -- man -- "$name"
# A page that takes too long must not take the shell that answers with it.
command -v timeout >/dev/null && set -- timeout 0.4 "$@"
MANWIDTH=80 MAN_KEEP_FORMATTING= LC_ALL=C.UTF-8 "$@" | head -n 60
"""
#: $1 a program: runs it.
_HELP: Final = r"""
cd /; "$1" --help 2>&1 </dev/null | head -c 16000
"""
#: $1 the session's pid, $2 its directory, $3 a path.
_PATH: Final = r"""
cd -P "/proc/$1/cwd" 2>/dev/null || cd -P "$2" || exit 0
[ -e "$3" ] || [ -L "$3" ] || exit 0
printf '\001listing\n'; ls -ld -- "$3"
printf '\001kind\n'
if [ -d "$3" ]; then echo directory
elif [ -f "$3" ]; then
  if command -v file >/dev/null; then file -bL -- "$3"; else printf '\001head\n'; head -c 100 -- "$3" | tr -d '\0\001'; fi
elif [ -p "$3" ]; then echo 'named pipe'
elif [ -S "$3" ]; then echo socket
elif [ -b "$3" ]; then echo 'block device'
elif [ -c "$3" ]; then echo 'character device'
elif [ -L "$3" ]; then echo 'link to nothing'
fi
"""  # noqa: E501 - a line of shell


def ask_shell(session: ShellSession, name: str) -> Sections:
    """Return what the person's shell knows of `name`; it must be at its prompt, and not be traced.

    The sections are ``type``, ``path``, ``alias``, ``source``, ``variable`` and ``exported``, as
    far as the shell can tell.

    Raises:
        CtrKernelError: The shell has ended, or does not answer.
        ShellBusy: It runs something, or would show the person what is asked.
    """
    if not session.may_be_asked:
        raise ShellBusy(f"session {session.name} is running a command; wait for it")
    shell = session.shell
    if shell.startswith("bash"):
        code, variable, flags = _BASH, _BASH_VARIABLE, "-- "
    elif shell.startswith("zsh"):
        code, variable, flags = _ZSH, _ZSH_VARIABLE, "-L -- "
    else:
        code, variable, flags = _POSIX, _POSIX_VARIABLE, ""
    if _NAME.fullmatch(name):
        code += variable
    if "=" not in name:
        code += _ALIAS.replace("{flags}", flags)
    code = (code + _END).replace("{longest}", str(LONGEST)).replace("{word}", shlex.quote(name))
    _, lines = Aside(session, code).end(SHELL_TIMEOUT)
    return sections("\n".join(lines))


def ask_program(
    session: ShellSession, name: str, path: str = "", *, timeout: float = LOOK_TIMEOUT
) -> Sections:
    """Return what files say of a program or a builtin; it is not run.

    The sections are ``type`` and ``help`` where bash is there to tell, ``path``, ``real`` behind
    all links, ``head`` with the file's first bytes, ``package``, and ``usage`` for busybox.

    Args:
        session: Any; it may be running a command.
        name: What is typed.
        path: Where the person's shell finds it; empty to look for it.
        timeout: Seconds.
    """
    return _asked(session, _PROGRAM, name, path, timeout=timeout)


def ask_page(session: ShellSession, name: str, *, timeout: float = LOOK_TIMEOUT) -> str:
    """Return the head of the manual's page; empty where there is none, or it takes too long."""
    said = session.side.request(_PAGE, name, timeout=timeout)
    # Printed over itself, for bold and underlined text.
    return re.sub(r".\x08", "", said.decode(errors="replace"))


def run_help(session: ShellSession, path: str) -> str:
    """Run a program with ``--help`` and return what it says; only where a person asks for it."""
    return session.side.request(_HELP, path, timeout=HELP_TIMEOUT).decode(errors="replace")


def ask_path(session: ShellSession, path: str, *, timeout: float = LOOK_TIMEOUT) -> Sections:
    """Return ``listing``, ``kind`` and perhaps ``head`` of a path; empty where there is none."""
    place = str(session.pid or 0), session.cwd or "/"
    return _asked(session, _PATH, *place, path, timeout=timeout)


def sections(printed: str) -> Sections:
    """Split what was printed into its sections."""
    found = {}
    for part in printed.split(_MARK)[1:]:
        name, _, text = part.partition("\n")
        found[name] = text.strip("\n")
    return {name: text for name, text in found.items() if text}


def _asked(session: ShellSession, script: str, *arguments: str, timeout: float) -> Sections:
    if timeout < LEAST_TIMEOUT:
        return {}
    try:
        said = session.side.request(script, *arguments, timeout=timeout)
    except CtrKernelError:
        return {}
    return sections(said.decode(errors="replace"))
