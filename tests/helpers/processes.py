"""Several processes of one program on this machine."""

import socket


def free_port():
    """A port at which nobody listens."""
    with socket.create_server(("", 0)) as server:
        return server.getsockname()[1]
