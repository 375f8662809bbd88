"""All commands by name; a command's module is loaded when it is asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import UsageError, name_list

if TYPE_CHECKING:
    from ctrkernel.commands.command import Command

#: Module and class of each command; importing them all would make every start slower.
COMMANDS: Final = {
    "ctr": ("shell", "Shell"),
    "ctr_attach": ("attach", "Attach"),
    "ctr_build": ("build", "Build"),
    "ctr_commit": ("build", "Commit"),
    "ctr_copy": ("between", "Copy"),
    "ctr_config": ("config", "Config"),
    "ctr_detach": ("attach", "Detach"),
    "ctr_diff": ("diff", "Diff"),
    "ctr_env": ("env", "Env"),
    "ctr_exec": ("exec", "Exec"),
    "ctr_expect": ("expect", "Expect"),
    "ctr_get": ("copy", "Get"),
    "ctr_help": ("help", "Help"),
    "ctr_inspect": ("inspect", "Inspect"),
    "ctr_interact": ("interact", "Interact"),
    "ctr_logs": ("logs", "Logs"),
    "ctr_pause": ("lifecycle", "Pause"),
    "ctr_ps": ("ps", "Ps"),
    "ctr_put": ("copy", "Put"),
    "ctr_record": ("record", "Record"),
    "ctr_restart": ("lifecycle", "Restart"),
    "ctr_rm": ("lifecycle", "Remove"),
    "ctr_run": ("run", "Run"),
    "ctr_secret": ("secret", "SecretVariable"),
    "ctr_send": ("send", "Send"),
    "ctr_sessions": ("attach", "Sessions"),
    "ctr_show": ("show", "Show"),
    "ctr_start": ("lifecycle", "Start"),
    "ctr_status": ("ps", "Status"),
    "ctr_stop": ("lifecycle", "Stop"),
    "ctr_unpause": ("lifecycle", "Unpause"),
    "ctr_write": ("write", "Write"),
}

#: Those that take the rest of a cell: whose `body` is not NEVER, told without loading them.
WITH_BODY: Final = frozenset({"ctr", "ctr_build", "ctr_exec", "ctr_send", "ctr_write"})


@cache
def find(name: str) -> Command:
    """Return the command `name`, without its percent sign.

    Raises:
        UsageError: There is none; the message names the nearest, or all.
    """
    if name in COMMANDS:
        module, kind = COMMANDS[name]
        command: Command = getattr(import_module(f"ctrkernel.commands.{module}"), kind)()
        return command
    import difflib  # noqa: PLC0415 - only on the way to an error

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean %{near[0]}?" if near else name_list([f"%{each}" for each in COMMANDS])
    raise UsageError(f"there is no command %{name}; {hint}")
