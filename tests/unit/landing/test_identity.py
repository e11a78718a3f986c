"""Addresses become keyed hashes; nothing is guessed."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.landing.identity import (
    ContactKey,
    KeyMissingError,
    load_key,
    mailbox_provider,
    normalise,
)

SECRET = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("written", "address"),
    [
        pytest.param("jane@example.com", "jane@example.com", id="as it is"),
        pytest.param("Jane@Example.COM", "jane@example.com", id="in any case"),
        pytest.param("  jane@example.com\t", "jane@example.com", id="between blanks"),
        pytest.param(
            "\u200b jane@example.com\u00a0\ufeff",
            "jane@example.com",
            id="between invisible blanks",
        ),
        pytest.param(
            '"Doe, Jane" <jane@example.com>', "jane@example.com", id="with a name"
        ),
        pytest.param("mailto:jane@example.com", "jane@example.com", id="as a link"),
        pytest.param(
            "jane.doe+news@example.com", "jane.doe+news@example.com", id="dots and tags"
        ),
        pytest.param(
            "jane@bücher.example.com", "jane@xn--bcher-kva.example.com", id="IDN"
        ),
        pytest.param("bjo\u0308rn@example.com", "bj\u00f6rn@example.com", id="NFD"),
        pytest.param('"j@ne doe"@example.com', '"j@ne doe"@example.com', id="quoted"),
    ],
)
def test_one_spelling_an_address(written: str, address: str) -> None:
    assert normalise(written) == address


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("", id="nothing"),
        pytest.param("jane", id="no at sign"),
        pytest.param("@example.com", id="nobody"),
        pytest.param("jane@", id="nowhere"),
        pytest.param("jane@example.com, joe@example.com", id="two in one cell"),
        pytest.param("jane@example.com;joe@example.com", id="two with a semicolon"),
        pytest.param("jane@joe@example.com", id="two at signs"),
        pytest.param("Jane Doe jane@example.com", id="a name without brackets"),
        pytest.param("jane@exam ple.com", id="a blank in the domain"),
        pytest.param("j" * 310 + "@example.com", id="longer than an address can be"),
        pytest.param("jane@" + "ü" * 70 + ".com", id="a label that IDNA refuses"),
    ],
)
def test_what_cannot_be_an_address_is_none(written: str) -> None:
    assert normalise(written) is None


@given(st.text(alphabet='aÅ@. <>",;\u200bü\u0308', max_size=20))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert once is None or normalise(once) == once


def test_a_contact_key_is_128_bits_of_hmac_sha256() -> None:
    key = ContactKey(SECRET.encode(), "id")
    digest = hmac.new(SECRET.encode(), b"jane@example.com", hashlib.sha256).hexdigest()
    assert key.of(" JANE@example.com ") == digest[:32]


def test_another_secret_gives_other_keys() -> None:
    one, two = ContactKey(b"1" * 32, ""), ContactKey(b"2" * 32, "")
    assert one.of("jane@example.com") != two.of("jane@example.com")


def test_an_unusable_address_still_is_one_person() -> None:
    key = ContactKey(SECRET.encode(), "id")
    assert key.of("Nobody Here") == key.of(" nobody here")
    assert key.of("nobody here") != key.of("nobody there")


def test_a_new_home_makes_a_private_key_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = load_key(path, None, may_create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().strip()) == 64
    assert load_key(path, None, may_create=True) == made


def test_the_key_of_the_environment_wins_and_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = load_key(path, SECRET, may_create=True)
    assert key.secret == SECRET.encode()
    assert not path.exists()


def test_a_lost_key_is_never_replaced_quietly(tmp_path: Path) -> None:
    with pytest.raises(KeyMissingError, match="Restore it from your backup"):
        load_key(tmp_path / "key", None, may_create=False)
    assert not (tmp_path / "key").exists()


def test_a_short_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(KeyMissingError, match="fewer than 32") as caught:
        load_key(tmp_path / "key", "swordfish", may_create=True)
    assert "swordfish" not in str(caught.value)


def test_a_key_id_tells_keys_apart_and_shows_neither() -> None:
    one = load_key(Path("key"), SECRET, may_create=False)
    two = load_key(Path("key"), SECRET[::-1], may_create=False)
    assert one.key_id != two.key_id
    assert one.key_id not in SECRET


@pytest.mark.parametrize(
    ("address", "group"),
    [
        pytest.param("Jane@GMAIL.com", "gmail", id="a known domain"),
        pytest.param("jane@example.com", "other", id="an unknown domain"),
        pytest.param("jane@mail.gmail.com", "other", id="a domain below a known one"),
        pytest.param("jane", None, id="no address"),
    ],
)
def test_a_mailbox_belongs_to_a_provider_group(address: str, group: str | None) -> None:
    assert mailbox_provider(address, {"gmail.com": "gmail"}) == group
