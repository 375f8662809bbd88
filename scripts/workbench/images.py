"""The images of the demo and the tests, each made once and made again when its recipe changes.

All stem from one tree with Debian's shells and everyday tools. Its base is a registry's image
where a registry answers, else a tree made from this machine's distribution by mmdebstrap. No
image is built by `docker build`: an import and a commit need no builder plugin.
"""

from __future__ import annotations

import hashlib
import os
import platform
import select
import subprocess
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from workbench import packages
from workbench.names import CACHE, DEMO, DEMO_LABEL, ENGINE, RECIPE_LABEL, TEST_LABEL
from workbench.process import SetupFailed, answer, only_one, query, say, work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: The registry's image that the demo's is made from.
BASE = os.environ.get("CTRKERNEL_BASE_IMAGE") or "debian:bookworm-slim"

#: Until a registry's first word. Behind a firewall that drops packets it never comes.
REGISTRY_SECONDS = 20.0

#: For a pull that has begun, and for a distribution's tree, over a slow line.
PULL_SECONDS = 900.0

#: For an import, a commit or a removal of a file tree of some 200 MB.
IMPORT_SECONDS = 300.0

#: For the engine's answer to a question.
QUERY_SECONDS = 60.0

#: What the tests and the quickstart type.
TOOLS = (
    "bash",
    "bash-completion",
    "busybox-static",
    "dash",
    "git",
    "less",
    "procps",
    "python3-minimal",
    "vim-tiny",
    "zsh",
)

#: A user to be other than root: `docker run --user demo`.
_USER = "useradd --uid 1000 --create-home --shell /bin/bash demo"

#: Every image's environment and command; an import has none of its own.
_CHANGES = (
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    'CMD ["sleep", "infinity"]',
)

_INSTALL = f"""
export DEBIAN_FRONTEND=noninteractive
apt-get update && apt-get install -y --no-install-recommends {" ".join(TOOLS)} || exit
rm -rf /var/lib/apt/lists/* && {_USER}
"""

_NO_STTY = "rm -f /bin/stty /usr/bin/stty"

# `busybox` itself is left out of the links: one of that name would replace the program.
_BUSYBOX = """
set -e
mkdir /tree && cd /tree
mkdir -p bin etc root proc sys dev tmp usr/bin
chmod 1777 tmp
cp /bin/busybox bin/busybox
for name in $(/bin/busybox --list); do
    case $name in busybox) ;; *) ln -s busybox "bin/$name" ;; esac
done
echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
exec tar --numeric-owner -cf - .
"""

# busybox is what its own name says, so this one can do nothing but sleep.
_NO_SHELL = """
set -e
mkdir -p /tree/bin && cd /tree
cp /bin/busybox bin/sleep
exec tar --numeric-owner -cf - .
"""


class Image(Protocol):
    """An image by its name, and how it is made."""

    @property
    def name(self) -> str:
        """The tag."""
        ...

    @property
    def label(self) -> str:
        """Whose it is: the demo's or the tests'."""
        ...

    @property
    def recipe(self) -> str:
        """All that decides what is in it."""
        ...

    def make(self, changes: Sequence[str]) -> None:
        """Make it, with what a Dockerfile would say for labels, environment and command."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """The tree with the shells, from a registry's base or from the distribution."""

    name: str
    label: str

    @property
    def recipe(self) -> str:
        """All that decides what is in it."""
        return "\n".join([BASE, _INSTALL, *_CHANGES])

    def make(self, changes: Sequence[str]) -> None:
        """Make it from the cached tree, else the registry, else the distribution."""
        tree = CACHE / f"tree-{platform.machine()}-{_hash(self.recipe)}.tar"
        if not tree.exists() and _pull(BASE):
            _commit(BASE, _INSTALL, self, changes)
            return
        if not tree.exists():
            _bootstrap(tree)
        options = [f"--change={change}" for change in changes]
        work(
            [ENGINE, "import", *options, str(tree), self.name], log="import", seconds=IMPORT_SECONDS
        )


@dataclass(frozen=True, slots=True)
class Committed:
    """Another image after a script has run in it."""

    name: str
    label: str
    base: Tools
    script: str

    @property
    def recipe(self) -> str:
        """All that decides what is in it."""
        return f"{self.base.recipe}\n{self.script}"

    def make(self, changes: Sequence[str]) -> None:
        """Run the script and commit what it left."""
        ensure(self.base)
        _commit(self.base.name, self.script, self, changes)


@dataclass(frozen=True, slots=True)
class Packed:
    """A tree that a script in another image writes to its output as a tar file."""

    name: str
    label: str
    base: Tools
    script: str

    @property
    def recipe(self) -> str:
        """All that decides what is in it."""
        return "\n".join([self.base.recipe, self.script, *_CHANGES])

    def make(self, changes: Sequence[str]) -> None:
        """Run the script and import what it packs."""
        ensure(self.base)
        argv = [ENGINE, "run", "--rm", f"--label={self.label}=making", "--network=none"]
        options = [f"--change={change}" for change in changes]
        with subprocess.Popen(
            [*argv, self.base.name, "sh", "-c", self.script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as packer:
            done = subprocess.run(
                [ENGINE, "import", *options, "-", self.name],
                stdin=packer.stdout,
                capture_output=True,
                text=True,
                timeout=IMPORT_SECONDS,
                check=False,
            )
        if packer.returncode or done.returncode:
            raise SetupFailed(f"{self.name} could not be packed: {done.stderr.strip()[:300]}")


DEBIAN = Tools(DEMO, DEMO_LABEL)
BUSYBOX = Packed("ctrkernel-test-busybox", TEST_LABEL, DEBIAN, _BUSYBOX)
NO_SHELL = Packed("ctrkernel-test-no-shell", TEST_LABEL, DEBIAN, _NO_SHELL)
NO_STTY = Committed("ctrkernel-test-no-stty", TEST_LABEL, DEBIAN, _NO_STTY)

#: What a test may name.
BY_NAME: dict[str, Image] = {
    "debian": DEBIAN,
    "busybox": BUSYBOX,
    "no_shell": NO_SHELL,
    "no_stty": NO_STTY,
}


def ensure(image: Image) -> str:
    """See to it that an image stands as its recipe says, and return its name.

    Raises:
        SetupFailed: It could not be made.
    """
    wanted = _hash(image.recipe)
    if _made_from(image.name) == wanted:
        return image.name
    with only_one(CACHE / f"{image.name}.lock"):
        if _made_from(image.name) != wanted:
            say(f"making the image {image.name}")
            labels = f"LABEL {image.label}=image {RECIPE_LABEL}={wanted}"
            image.make([*_CHANGES, labels])
    return image.name


def remove_all() -> None:
    """Remove the images that carry our labels, but for those that another container stands on."""
    for label in (TEST_LABEL, DEMO_LABEL):
        argv = [ENGINE, "image", "ls", "-q", f"--filter=label={label}=image"]
        for image in dict.fromkeys(answer(argv, seconds=QUERY_SECONDS).split()):
            users = [ENGINE, "ps", "--all", "--format={{.Names}}", f"--filter=ancestor={image}"]
            names = answer(users, seconds=QUERY_SECONDS).split()
            if names:
                say(f"the image {image} stays, for a container stands on it: {', '.join(names)}")
            else:
                work([ENGINE, "image", "rm", "-f", image], log="image-rm", seconds=IMPORT_SECONDS)


def _hash(recipe: str) -> str:
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def _made_from(name: str) -> str | None:
    form = f'{{{{index .Config.Labels "{RECIPE_LABEL}"}}}}'
    done = query([ENGINE, "image", "inspect", f"--format={form}", name], seconds=QUERY_SECONDS)
    return done.stdout.strip() if done.returncode == 0 else None


def _commit(base: str, script: str, image: Image, changes: Sequence[str]) -> None:
    name = f"ctrkernel-make-{uuid.uuid4().hex[:12]}"
    options = [f"--name={name}", f"--label={image.label}=making", "--user=0"]
    try:
        argv = [ENGINE, "run", *options, base, "sh", "-c", script]
        work(argv, log=image.name, seconds=PULL_SECONDS)
        edits = [f"--change={change}" for change in changes]
        work([ENGINE, "commit", *edits, name, image.name], log="commit", seconds=IMPORT_SECONDS)
    finally:
        query([ENGINE, "rm", "-f", name], seconds=QUERY_SECONDS)


def _pull(name: str) -> bool:
    """Pull an image; False where no registry answers in time or none has it."""
    say(f"asking the registry for {name}")
    argv = [ENGINE, "pull", name]
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as puller:
        assert puller.stdout is not None
        # Standard output stays silent until the registry's first word, errors included.
        if not select.select([puller.stdout], [], [], REGISTRY_SECONDS)[0]:
            puller.kill()
            return False
        try:
            puller.communicate(timeout=PULL_SECONDS)
        except subprocess.TimeoutExpired:
            puller.kill()
        return puller.wait() == 0


def _bootstrap(tree: Path) -> None:
    """Make the tree from this machine's distribution and keep it as a tar file."""
    if not packages.is_debian():
        raise SetupFailed(
            f"no registry has {BASE}, and only Debian and Ubuntu can make it from packages; "
            f"type: {ENGINE} pull {BASE}, or name another with CTRKERNEL_BASE_IMAGE"
        )
    packages.need("mmdebstrap", "mmdebstrap")
    release = platform.freedesktop_os_release()
    say(f"no registry answers; making the image from {release['NAME']} packages (half a minute)")
    tree.parent.mkdir(parents=True, exist_ok=True)
    partial = tree.with_suffix(".partial.tar")
    unread = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    argv = [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join((*TOOLS, 'passwd'))}",
        "--aptopt=Acquire::Languages none",
        *unread,
        f'--customize-hook=chroot "$1" {_USER}',
        release["VERSION_CODENAME"],
        str(partial),
        *packages.sources(),
    ]
    try:
        work(argv, log="mmdebstrap", seconds=PULL_SECONDS)
        partial.replace(tree)
    finally:
        partial.unlink(missing_ok=True)
