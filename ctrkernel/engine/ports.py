"""A container's ports and where the host publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What an engine says for "on every address of the host".
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - read, not bound to


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a container.

    Args:
        container: The port in the container.
        protocol: ``tcp``, ``udp`` or ``sctp``.
        host: The port on the host; None if it is not published.
        address: The host's address it is published on; empty for all of them.
    """

    container: int
    protocol: str = "tcp"
    host: int | None = None
    address: str = ""

    def __str__(self) -> str:
        """``8080→80``, ``127.0.0.1:5353→53/udp``, or ``80`` if it is not published."""
        inner = str(self.container) + ("" if self.protocol == "tcp" else f"/{self.protocol}")
        if self.host is None:
            return inner
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}{':' if address else ''}{self.host}→{inner}"


def parse_ports(listed: Mapping[str, Sequence[Mapping[str, Any]] | None]) -> tuple[Port, ...]:
    """Read ``NetworkSettings.Ports`` or ``HostConfig.PortBindings`` of an inspect document.

    A port that is published on IPv4 and IPv6 alike is told once.
    """
    ports: dict[Port, None] = {}
    for key, bindings in listed.items():
        number, _, protocol = key.partition("/")
        # An unfinished configuration may hold a range or a word; it is no port yet.
        if not number.isdigit():
            continue
        inner, kind = int(number), protocol or "tcp"
        if not bindings:
            ports[Port(inner, kind)] = None
        for binding in bindings or ():
            host = str(binding.get("HostPort") or "")
            address = str(binding.get("HostIp") or "")
            ports[
                Port(
                    inner,
                    kind,
                    int(host) if host.isdigit() else None,
                    "" if address in _EVERYWHERE else address,
                )
            ] = None
    return tuple(sorted(ports, key=lambda port: (port.container, port.protocol, port.host or 0)))
