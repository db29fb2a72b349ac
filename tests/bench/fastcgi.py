"""As much of a FastCGI client as asks one question: MapServer is asked without a web server in between.

Source: FastCGI specification 1.0, sections 3.3, 5 and 6.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

_HEADER = struct.Struct("!BBHHBx")
_BEGIN, _END, _PARAMS, _STDIN, _STDOUT = 1, 3, 4, 5, 6
_RESPONDER = struct.pack("!HB5x", 1, 0)


def _record(kind: int, content: bytes) -> bytes:
    return _HEADER.pack(1, kind, 1, len(content), 0) + content


def _pair(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    sizes = b"".join(
        bytes([len(part)]) if len(part) < 128 else struct.pack("!I", len(part) | 1 << 31)
        for part in (key, text)
    )
    return sizes + key + text


def ask(address: Path, query: str, **variables: str) -> tuple[bytes, bytes]:
    """Send a GET with a query to a FastCGI process; return the header lines and the body of its answer."""
    given = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80"}
    given |= {"SCRIPT_NAME": "/mapserv", "SERVER_PROTOCOL": "HTTP/1.1", **variables}
    parameters = b"".join(_pair(name, value) for name, value in given.items())
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(address))
        connection.sendall(
            _record(_BEGIN, _RESPONDER)
            + _record(_PARAMS, parameters)
            + _record(_PARAMS, b"")
            + _record(_STDIN, b"")
        )
        head, _, body = _output(connection).partition(b"\r\n\r\n")
    return head, body


def _output(connection: socket.socket) -> bytes:
    written = bytearray()
    with connection.makefile("rb") as stream:
        while header := stream.read(_HEADER.size):
            _, kind, _, length, padding = _HEADER.unpack(header)
            content = stream.read(length + padding)[:length]
            if kind == _STDOUT:
                written += content
            if kind == _END:
                break
    return bytes(written)
