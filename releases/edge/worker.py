"""One of several edge processes that share a port: `python -m releases.edge.worker INDEX LISTENER LIFELINE`.

Started by `releases.workers.supervising`, whose end it notices by the end of a pipe, however that went.
"""

import os
import socket
import sys
import threading

from releases.edge.server import EdgeServer, configuration


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, or until the supervisor is gone."""
    _, listener, lifeline = (int(text) for text in arguments[:3])
    server = EdgeServer(configuration())
    threading.Thread(target=_ends_with, args=(lifeline, server), daemon=True).start()
    server.run(sockets=[socket.socket(fileno=listener)])
    return 0


def _ends_with(lifeline: int, server: EdgeServer) -> None:
    os.read(lifeline, 1)  # nobody writes: it returns when the other end is closed
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
