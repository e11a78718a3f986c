"""Addresses to keyed hashes: computed once a distinct value.

The only code that sees an address after the archive. Neither the key nor an address
enters SQL text, a log or an error.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NORMALISER_VERSION = 1
"""Part of every package's fingerprint: another rule re-lands every file."""

_KEY_BYTES = 32
_NEVER = frozenset(string.whitespace + "@,;<>")
_BLANKS = string.whitespace + "\u200b\ufeff\u00a0"


class KeyMissingError(Exception):
    """The deployment's key is gone, short or not the one its hashes were made with."""


@dataclass(frozen=True)
class ContactKey:
    """The deployment's secret and the short name that tells two of them apart."""

    secret: bytes
    key_id: str

    def of(self, address: str) -> str:
        """128 bits of HMAC-SHA-256 over the normalised address, as 32 hex digits."""
        text = normalise(address) or "unusable:" + address.strip().casefold()
        digest = hmac.new(self.secret, text.encode("utf-8"), hashlib.sha256)
        return digest.hexdigest()[:32]


def load_key(path: Path, given: str | None, *, may_create: bool) -> ContactKey:
    """The key from the environment, else the home's key file.

    Args:
        path: the key file.
        given: the environment's key, which wins.
        may_create: whether the home is new, so that a missing key may be made.

    Raises:
        KeyMissingError: with advice.
    """
    if given is None and not path.exists():
        if not may_create:
            raise KeyMissingError(
                f"The key file {path} is gone, but files were landed with it. Restore"
                " it from your backup, or set OPTOUT_CONTACT_KEY."
            )
        _write_private(path, secrets.token_hex(_KEY_BYTES))
    text = given if given is not None else path.read_text(encoding="ascii").strip()
    if len(text) < _KEY_BYTES:
        raise KeyMissingError(
            f"The contact key has fewer than {_KEY_BYTES} characters. Use a random one,"
            " for example 64 hex digits."
        )
    secret = text.encode("utf-8")
    key_id = hashlib.sha256(b"key-id:" + secret).hexdigest()[:8]
    return ContactKey(secret, key_id)


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")


def normalise(address: str) -> str | None:
    """One spelling an address: trimmed, NFC, lower case; None when it cannot be one.

    A display name and ``mailto:`` are taken off. Dots and +tags stay: providers and
    senders count them as separate contacts. The domain is compared in its ASCII form.
    """
    text = unicodedata.normalize("NFC", address).strip(_BLANKS)
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1].strip()
    text = text.removeprefix("mailto:").lower()
    local, at, domain = text.rpartition("@")
    is_quoted = len(local) > 2 and local[0] == local[-1] == '"'
    strange = _NEVER.intersection(domain if is_quoted else local + domain)
    if not (at and local and domain) or strange or len(text) > 320:
        return None
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return None
    return f"{local}@{ascii_domain}"


def mailbox_provider(address: str, providers: Mapping[str, str]) -> str | None:
    """The provider group of an address; None when the address is unusable."""
    usable = normalise(address)
    if usable is None:
        return None
    return providers.get(usable.rpartition("@")[2], "other")
