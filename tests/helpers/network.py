"""Hosts of a network of their own: network namespaces of Linux on a bridge. Where these cannot be made, every host is this machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """A machine of the network."""

    address: str
    command: tuple[str, ...] = ()
    """What a command begins with that is to run there."""


@contextlib.contextmanager
def network(count: int) -> Iterator[list[Host]]:
    """Hosts that reach each other and this process."""
    name = f"midi{os.getpid()}"
    subnet = f"198.18.{os.getpid() % 256}"  # of the addresses for measurements of networks, which nobody routes (RFC 2544)
    with contextlib.ExitStack() as stack:
        try:
            hosts = _namespaces(stack, name, subnet, count)
        except (OSError, subprocess.CalledProcessError):  # no ip, or not root
            hosts = [Host("127.0.0.1")] * count
        yield hosts


def _namespaces(stack: contextlib.ExitStack, name: str, subnet: str, count: int) -> list[Host]:
    _ip("link", "add", name, "type", "bridge")
    stack.callback(_ip, "link", "del", name)
    _ip("address", "add", f"{subnet}.1/24", "dev", name)
    _ip("link", "set", name, "up")
    hosts = []
    for number in range(2, 2 + count):
        space, port = f"{name}-{number}", f"{name}.{number}"
        _ip("netns", "add", space)
        stack.callback(_ip, "netns", "del", space)
        _ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", port, "master", name, "up")
        _ip("-n", space, "address", "add", f"{subnet}.{number}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", space, "link", "set", device, "up")
        hosts.append(Host(f"{subnet}.{number}", ("ip", "netns", "exec", space)))
    return hosts


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
