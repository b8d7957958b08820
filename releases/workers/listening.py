"""The sockets of workers: one per worker on the same port, so that the kernel shares connections out evenly.

They are made, and kept, by the supervisor: connections that wait for a worker which died are served by its successor.
"""

import socket
from typing import Final

BACKLOG: Final = 4096


def listeners(host: str, port: int, workers: int) -> list[socket.socket]:
    """Listening sockets, inheritable. Raises `OSError` where the port is taken, also by others that share it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = _bound(family, host, port, shared=False)  # sharing a port never says that somebody else shares it, too
    port = taken.getsockname()[1]
    taken.close()
    sockets = [_bound(family, host, port, shared=workers > 1) for _ in range(workers)]
    for one in sockets:
        one.listen(BACKLOG)
        one.set_inheritable(True)
    return sockets


def _bound(family: socket.AddressFamily, host: str, port: int, *, shared: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one
