"""Messages that one browser alone can read (RFC 8291), and what it gives for that."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec


def encrypted(told: Mapping[str, str], *, key: str, secret: str) -> bytes:
    """Return a message as only the browser can read it whose public `key` and `secret` are given, both base64url."""
    body: bytes = http_ece.encrypt(
        json.dumps(told, ensure_ascii=False).encode(),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=from_base64(key),
        auth_secret=from_base64(secret),
        version="aes128gcm",
    )
    return body


def check_key(key: str) -> None:
    """Raise `ValueError` for what is no public key, an uncompressed point of P-256 in base64url."""
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64(key))


def from_base64(text: str) -> bytes:
    """Read base64url, with or without its padding; raises `ValueError`."""
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
