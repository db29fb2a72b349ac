"""Sending a document to an address that somebody gave us: signed, to public hosts only, never following anywhere.

The host is looked up once and the connection goes to that very answer, so that a name cannot be public when it is
checked and private when it is used.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
from typing import Final
from urllib.parse import SplitResult, urlsplit

from gis.errors import Refusal

TIMEOUT_SECONDS: Final = 10.0
LONGEST_ADDRESS: Final = 2_000
SIGNATURE: Final = "GS1-Signature"


class BadAddress(Refusal):
    """Nothing is sent to such an address."""


class NotDelivered(Refusal):
    """An address could not be told; `gone` says that it never wants to be again."""

    def __init__(self, message: str, *, gone: bool = False, **facts: object) -> None:
        super().__init__(message, **facts)
        self.gone = gone


def check(address: str, *, private: bool) -> SplitResult:
    """Return the parts of an address to which something may be sent. Raises BadAddress."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = address.isascii() and address.isprintable() and " " not in address
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or port == 0:
        raise BadAddress("Địa chỉ nhận (dest) phải bắt đầu bằng https:// hoặc http:// và có tên máy chủ.")
    if parts.username or parts.password or len(address) > LONGEST_ADDRESS:
        raise BadAddress(
            "Địa chỉ nhận (dest) không được chứa tên đăng nhập và không dài quá %(most)s ký tự.",
            most=LONGEST_ADDRESS,
        )
    _look_up(parts, private=private)
    return parts


def _look_up(parts: SplitResult, *, private: bool) -> str:
    """Return an address of the network for the host. Raises BadAddress when one of them is not public."""
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadAddress("Không tìm thấy máy chủ “%(host)s”.", host=host) from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not private and not all(map(_is_public, addresses)):
        raise BadAddress("Không gửi đến địa chỉ trong mạng nội bộ (“%(host)s”).", host=host)
    return addresses[0]


def _is_public(address: str) -> bool:
    value = ipaddress.ip_address(address)
    inside = getattr(value, "ipv4_mapped", None) or getattr(value, "sixtofour", None) or value
    return inside.is_global and value.is_global and not inside.is_multicast


def signature(secret: str, body: bytes) -> str:
    """Return what the receiver checks: HMAC with SHA-256 of the body under the secret that they gave."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(address: str, body: bytes, *, secret: str | None, private: bool) -> None:
    """Send a document. Raises BadAddress or NotDelivered."""
    parts = check(address, private=private)
    connection = _connection(parts, _look_up(parts, private=private))
    headers = {"Content-Type": "application/json", "User-Agent": "ocopmap", "GS1-EPCIS-Version": "2.0.0"}
    if secret:
        headers[SIGNATURE] = signature(secret, body)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(
            "Không nối được với địa chỉ nhận: %(reason)s.", reason=type(error).__name__
        ) from error
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotDelivered("Địa chỉ nhận trả lời %(status)s.", gone=status == 410, status=status)


def _connection(parts: SplitResult, address: str) -> http.client.HTTPConnection:
    host = str(parts.hostname)
    if parts.scheme == "https":
        return _PinnedTls(host, address, parts.port)
    return _Pinned(host, address, parts.port)


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked up beforehand."""

    def __init__(self, host: str, address: str, port: int | None) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self._address = address

    def connect(self) -> None:
        """Connect to the address, whatever the name would mean now."""
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT_SECONDS)


class _PinnedTls(_Pinned):
    """The same with a certificate that must be of the host."""

    default_port = 443

    def connect(self) -> None:
        """Connect and make sure who answers."""
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
