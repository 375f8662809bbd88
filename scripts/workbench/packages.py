"""The distribution's packages, on Debian and Ubuntu, as root; elsewhere a line that says what."""

from __future__ import annotations

import os
import platform
import shutil

from workbench.process import SetupFailed, query, say, work

#: Package lists and a browser over a slow line.
APT_SECONDS = 900.0


def is_debian() -> bool:
    """Whether this machine's distribution is Debian or one made from it."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    return "debian" in {release.get("ID", ""), *release.get("ID_LIKE", "").split()}


def can_install() -> bool:
    """Whether we may install the distribution's packages."""
    return is_debian() and os.geteuid() == 0 and shutil.which("apt-get") is not None


def need(program: str, *packages: str) -> None:
    """See to it that `program` is on the path, from `packages` where it is not.

    Raises:
        SetupFailed: It is missing and we may not, or could not, install it.
    """
    if shutil.which(program):
        return
    names = " ".join(packages)
    if not can_install():
        line = f"sudo apt-get install {names}" if is_debian() else f"your package manager ({names})"
        raise SetupFailed(f"{program} is not installed; install it with: {line}")
    install(*packages)
    if not shutil.which(program):
        raise SetupFailed(f"{program} is still missing after: apt-get install {names}")


def install(*packages: str) -> None:
    """Install packages, asking for new package lists only where the known ones do not do.

    Raises:
        SetupFailed: apt-get failed twice.
    """
    say(f"installing {' '.join(packages)}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    argv = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if all(_known(name) for name in packages):
        try:
            work(argv, log="apt-install", seconds=APT_SECONDS, environ=environ)
        except SetupFailed:
            pass  # Lists older than the archive name files that are gone; new lists settle it.
        else:
            return
    work(["apt-get", "update"], log="apt-update", seconds=APT_SECONDS, environ=environ)
    work(argv, log="apt-install", seconds=APT_SECONDS, environ=environ)


def _known(package: str) -> bool:
    return bool(query(["apt-cache", "madison", package], seconds=60).stdout.strip())


def sources() -> list[str]:
    """Return apt's lines for the distribution's own archives, as this machine is set up.

    Empty, which means the tool's own choice, where apt knows of none. Other parties' archives
    are left out, for their keys are not in the new tree.
    """
    query_form = "--format=$(ORIGIN)|$(RELEASE)|$(REPO_URI)|$(COMPONENT)"
    done = query(["apt-get", "indextargets", query_form, "Created-By: Packages"], seconds=60)
    lines: dict[str, None] = {}
    for target in done.stdout.splitlines():
        origin, suite, uri, component = target.split("|")
        if origin in {"Debian", "Ubuntu"}:
            lines[f"deb {uri} {suite} {component}"] = None
    return list(lines)
