"""``ctr_display``: the shell function that shows a file in the notebook.

It writes iTerm2's OSC 1337, which other terminals show or pass over. It runs in a subshell, so it
leaves nothing in the shell, and takes no word of the user's for one of its own: a backslash passes
aliases by, ``command`` functions.
"""

from __future__ import annotations

from typing import Final

from ctrkernel.protocol.dialects.base import PREFIX

#: Bytes of a file that are sent; one more than is shown tells that it is too large.
_SENT: Final = 2_200_000
_HAS: Final = "\\command -v"
_SAY: Final = "\\command printf"

#: Its words: the type, the name; the file is its input. Base64, or where there is none, hex.
_WRITE: Final = (
    f" {PREFIX}_x() ( e() {{ \\command base64; }}; k=; "
    f"if {_HAS} base64 >/dev/null 2>&1; then :; elif {_HAS} od >/dev/null 2>&1; then "
    "k=';encoding=hex'; e() { \\command od -An -v -tx1; }; "
    f"else {_SAY} '%s\\n' 'ctr_display: the container has neither base64 nor od; "
    "type %ctr_show FILE in a cell of its own' >&2; exit 1; fi; "
    f"h() {{ \\command head -c {_SENT}; }}; "
    f"{_HAS} head >/dev/null 2>&1 || h() {{ \\command cat; }}; "
    f'{_SAY} \'\\033]1337;File=inline=1;type=%s%s;name=\' "$1" "$k"; '
    f"{_SAY} %s \"$2\" | e; {_SAY} :; h | e; {_SAY} '\\007'; )"
)
_DISPLAY: Final = (
    " ctr_display() ( t= r=0; while :; do case ${1-} in --type=*) t=${1#*=}; shift;; "
    "--type) t=${2-}; shift; shift;; --) shift; break;; -) break;; ''|-*) "
    f"{_SAY} '%s\\n' 'usage: ctr_display [--type TYPE] FILE... (- is the input)' >&2; "
    "exit 2;; *) break;; esac; done; "
    f'for f in "$@"; do if [ "$f" = - ]; then {PREFIX}_x "$t" "" || r=1; '
    f'elif [ -f "$f" ] && [ -r "$f" ]; then {PREFIX}_x "$t" "${{f##*/}}" <"$f" || r=1; '
    f"else {_SAY} 'ctr_display: %s: not there, or it cannot be read\\n' \"$f\" >&2; "
    "r=1; fi; done; exit $r )"
)
#: Lines to type once, each below the length that every terminal takes.
DISPLAY: Final = (_WRITE.encode(), _DISPLAY.encode())
