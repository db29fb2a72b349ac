"""The key that signs heads of the chain, and what it signs: Ed25519 as JSON Web Signatures (RFC 7515, RFC 8037)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gis.errors import Refusal

KEY_NAME = "evidence_key.pem"


class SigningError(Refusal):
    """A key cannot be read or made."""


class BadSignature(Refusal):
    """A signed text is not what the key signed."""


@dataclass(frozen=True)
class PublicKey:
    """The public half of a signing key."""

    raw: bytes

    @property
    def id(self) -> str:
        """The thumbprint of the key (RFC 7638)."""
        members = {"crv": "Ed25519", "kty": "OKP", "x": encoded(self.raw)}
        return encoded(hashlib.sha256(_compact(members)).digest())

    @property
    def jwk(self) -> dict[str, str]:
        """The key as a JSON Web Key."""
        return {"kty": "OKP", "crv": "Ed25519", "x": encoded(self.raw), "kid": self.id, "alg": "EdDSA"}

    @classmethod
    def from_jwk(cls, jwk: Any) -> PublicKey:
        """Read a JSON Web Key; raises SigningError when it is no Ed25519 key."""
        try:
            raw = decoded(jwk["x"])
            if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519") or len(raw) != 32:
                raise ValueError
        except (KeyError, TypeError, ValueError) as error:
            raise SigningError("Khóa công khai không phải là khóa Ed25519 dạng JWK.") from error
        return cls(raw)

    def opened(self, signed: str) -> dict[str, Any]:
        """Return what was signed; raises BadSignature when this key did not sign it."""
        try:
            head, body, signature = signed.split(".")
            Ed25519PublicKey.from_public_bytes(self.raw).verify(decoded(signature), f"{head}.{body}".encode())
            if json.loads(decoded(head)).get("alg") != "EdDSA":
                raise ValueError
            payload = json.loads(decoded(body))
        except (ValueError, InvalidSignature) as error:
            raise BadSignature("Chữ ký không khớp với khóa %(key)s.", key=self.id) from error
        return dict(payload)


@dataclass(frozen=True)
class SigningKey:
    """A key that signs."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The half that everybody may know."""
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return PublicKey(self.private.public_key().public_bytes(*raw))

    def signed(self, payload: dict[str, Any]) -> str:
        """Sign a payload as a compact JSON Web Signature."""
        head = encoded(_compact({"alg": "EdDSA", "kid": self.public.id}))
        text = f"{head}.{encoded(_compact(payload))}"
        return f"{text}.{encoded(self.private.sign(text.encode()))}"


def peek(signed: str) -> dict[str, Any] | None:
    """Return what a signed text claims to hold, without looking at its signature."""
    try:
        found = json.loads(decoded(signed.split(".")[1]))
    except (ValueError, IndexError):
        return None
    return found if isinstance(found, dict) else None


# ---- the key file


def key_file(instance: Path) -> Path:
    """Return where an installation keeps its signing key."""
    return instance / KEY_NAME


def read_key(path: Path) -> SigningKey:
    """Read the key; raises SigningError when there is none or it cannot be read."""
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError
    except FileNotFoundError as error:
        raise SigningError(
            "Chưa có khóa ký ở “%(path)s”; hãy tạo bằng ocopmap evidence key.", path=path
        ) from error
    except (ValueError, TypeError) as error:
        raise SigningError("Tệp “%(path)s” không phải là khóa ký Ed25519.", path=path) from error
    return SigningKey(private)


def kept_key(path: Path) -> SigningKey:
    """Read the key, made first where there is none; of two programs that make it at once, both end with the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path)
    return read_key(path)


def _make(path: Path) -> None:
    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(whole, path)
    finally:
        whole.unlink()


# ---- text


def encoded(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Read base64url without padding; raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _compact(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
