r"""bash, 4.4 and later.

Facts this rests on, each seen on 5.2: ``$'…'`` needs no command to decode; an assignment in an
array subscript or substring expression of a redirection is not undone after the command, which is
the one way to set LINENO for the line that follows; ``builtin`` passes functions and aliases by;
PIPESTATUS in a plain assignment is joined with spaces whatever IFS is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.protocol.dialects.base import (
    PIPE_STATUS_LIMIT,
    PREFIX,
    SILENT,
    STAGED,
    EvaluatingDialect,
    ShellState,
)
from ctrkernel.protocol.encoding import ansi_c_pieces
from ctrkernel.protocol.marks import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence


class Bash(EvaluatingDialect):
    """GNU bash without its line editor."""

    name = "bash"
    begins_first = True
    echo_word = r"\builtin echo"
    set_word = r"\builtin set"
    printf_word = r"\builtin printf"

    #: Only where LINENO has no attribute, such as r for readonly: that would be an error.
    line_zero = "${?:(36#0${LINENO+${LINENO@a}}||(LINENO=-1)):0}"

    #: What PROMPT_COMMAND holds.
    _precmd = f'{{ {PREFIX}_p "$?"; }} {SILENT}'

    @property
    def trailer(self) -> str:
        """Saves what only the evaluated text itself can see."""
        return f"{{ {PREFIX}_s=$? {PREFIX}_u=$_ {PREFIX}_q=${{PIPESTATUS[@]}}; }} {SILENT}"

    @property
    def repeated(self) -> tuple[bytes, ...]:
        """The trailer, and what PROMPT_COMMAND runs."""
        return (self.trailer.encode(), self._precmd.encode())

    def repair(self, state: ShellState) -> Sequence[bytes]:  # noqa: ARG002
        """Enable our builtins, be it that `builtin` is disabled, or that `enable` is a function."""
        names = "builtin eval printf set unset trap export return exit history"
        return tuple(rf"{word} {names}".encode() for word in (r"\builtin enable", r"\enable"))

    def setup(self) -> list[bytes]:
        """Define our functions; history expansion and the recording of typed lines go off."""
        hide = (
            "case $- in *a*) builtin export -n "
            + " ".join(f"{PREFIX}_{letter}" for letter in "gkprstuqz")
            + ";; esac"
        )
        number, cwd = f'"${PREFIX}_g"', '"${PWD-}"'
        precmd = self.mark(Kind.PRECMD, f'{number} "${{{PREFIX}_k-}}" "$1" "$-" {cwd}')
        intact = (
            f'[[ ${{PS1-}}${{PROMPT_COMMAND[*]-}} == "${PREFIX}_p${PREFIX}_r" '
            "&& -z ${PS0-}${PS2-} ]]"
        )
        # An assignment to a readonly name would end the line, `printf -v` only fails.
        again = (
            f"{{ builtin unset -v PROMPT_COMMAND; builtin printf -v PROMPT_COMMAND %s "
            f'"${PREFIX}_r"; builtin printf -v PS1 %s "${PREFIX}_p"; '
            "builtin printf -v PS0 %s; builtin printf -v PS2 %s; "
            "builtin export -n PS0 PS1 PS2 PROMPT_COMMAND; }"
        )
        restore = (
            f'{intact} || {again}; {intact} && builtin set -- "$1" "$2" 1 '
            '|| builtin set -- "$1" "$2" 0; [[ -t 0 ]] && builtin set -- "$@" 1 '
            '|| builtin set -- "$@" 0'
        )
        # Without its line editor bash 5.2 does not survive the next prompt.
        no_editor = "[[ -o vi || -o emacs ]] && builtin set +o vi +o emacs"
        own = f'"${{{PREFIX}_s-}}" "${{{PREFIX}_q-}}"'
        end = self.mark(
            Kind.END, f'"$1" "${{{PREFIX}_k-}}" "$2" {own} "$-" "$3" "$4" {cwd} "${{HOME:0:1024}}"'
        )
        return [
            b" unset CTRKERNEL_NONCE __ctrk_q __ctrk_s; set +o history +o vi +o emacs; set +H",
            f" {PREFIX}_b() {{ "
            f'builtin history -s -- "${PREFIX}_c"; builtin unset -v {PREFIX}_c {PREFIX}_d; '
            f'{hide}; {self.mark(Kind.BEGIN, number)}; builtin return "$1"; }}'.encode(),
            f" {PREFIX}_i() {{ {restore}; {hide}; {end} || "
            f"{{ builtin enable printf; {end}; }} || builtin return 1; "
            f"{PREFIX}_z=$1; }}".encode(),
            f" {PREFIX}_e() {{ [[ -o history ]] && builtin set +o history; {no_editor}; "
            f'{PREFIX}_i "$1" "$2" || builtin set -- "$1" "${{{PREFIX}_s:-$2}}" lost; '
            f"{PREFIX}_s= {PREFIX}_q=; {hide}; "
            f'[[ -z ${{3-}} || $- == *e* ]] || builtin return "$2"; }}'.encode(),
            f' {PREFIX}_p() {{ [[ ${PREFIX}_z == "${PREFIX}_g" ]] || {precmd}; }}'.encode(),
            f" {PREFIX}_t() {{ {self.mark(Kind.GATE, number)}; }}".encode(),
            f" {PREFIX}_g=0 {PREFIX}_k=0 {PREFIX}_z=0 {PREFIX}_p= {PREFIX}_r= {PREFIX}_u=".encode(),
        ]

    def prompts(self) -> list[bytes]:
        """PS1 and PROMPT_COMMAND both carry the prompt's mark; one of them may be readonly."""
        fields = f"${{{PREFIX}_g-}};${{{PREFIX}_k-}};$?;$-;${{PWD-}}"
        prompt = rf"\e]133;{Kind.PROMPT.value.decode()};{self.nonce};{fields};{self.nonce}\a"
        statements = [
            r"\builtin unset -v PROMPT_COMMAND",
            f"PROMPT_COMMAND='{self._precmd}'",
            "PS0=",
            "PS2=",
            f"PS1='{prompt}'",
            f"{PREFIX}_p='{prompt}' {PREFIX}_r='{self._precmd}'",
            r"\builtin export -n PS0 PS1 PS2 PROMPT_COMMAND",
        ]
        return [self.typed(statement.encode()) for statement in statements]

    def stage(self, data: bytes) -> list[bytes]:
        """Stage as ``$'…'``, which the shell's parser decodes without a command."""
        return self.joined(ansi_c_pieces(data), (b"$'", b"'"))

    def end_words(self, seq: int) -> str:
        """As elsewhere; a short cell has no line before it that could number its own."""
        return super().end_words(seq) + self.line_zero

    def evaluate(self, state: ShellState, trailer: str) -> str:
        """Begin mark, newline, code: so a syntax error in the first line comes after the mark."""
        status = 0 if "e" in state.flags else state.status
        begin = f'{PREFIX}_b %d "${{{PREFIX}_u-}}"'
        restore = begin % status
        if 1 < len(state.pipe_status) <= PIPE_STATUS_LIMIT and "e" not in state.flags:
            restore += "; " + " | ".join(rf"(\\builtin exit {code})" for code in state.pipe_status)
        if status:
            # A status that is not 0 would fire the user's ERR trap.
            # In posix mode bash lists the default too.
            none = f'-z ${PREFIX}_t || ${PREFIX}_t == *"-- - ERR"'
            restore = (
                rf"{PREFIX}_t=$(\\builtin trap -p ERR); "
                f"if [[ {none} ]]; then {restore}; else {begin % 0}; fi"
            )
        begin_line = (
            rf"{{ {PREFIX}_k=${PREFIX}_g; \\builtin trap -p DEBUG >/dev/tty; {restore}; }} {SILENT}"
        )
        word = r"\eval" if state.plain else r"\builtin eval"
        return rf"""{word} $'{begin_line}\n'{STAGED}$'\n{trailer}'"""

    def check(self, closers: tuple[str, ...] = ()) -> str:
        """Parse the code as the body of a branch that is not taken."""
        end = r"\n".join(("", *closers, "fi"))
        return rf"""{{ \builtin eval $'if false; then :\n'"${PREFIX}_c"$'{end}'; }} {SILENT}"""
