"""A cable between client and server that can be pulled: a TCP proxy on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cable:
    """Forwards connections to a port. `cut()` resets all of them and refuses new ones; `join()` heals."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target = target_port
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port: int = self._listener.getsockname()[1]
        self.forwarded = 0
        threading.Thread(target=self._accept, daemon=True, name="cable").start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Pull the cable: connections break in the middle of whatever they carry."""
        with self._lock:
            self._is_cut = True
            for connection in self._open:
                _drop(connection)
            self._open.clear()

    def join(self) -> None:
        """Plug it in again."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                _drop(near)
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                _drop(near)
                continue
            with self._lock:
                self._open |= {near, far}
                self.forwarded += 1
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _drop(connection: socket.socket) -> None:
    """Close with a reset, as a lost radio link would look."""
    with contextlib.suppress(OSError):
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
