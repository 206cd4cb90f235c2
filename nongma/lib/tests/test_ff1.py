"""FF1 against NIST's published samples, and the bulk form against the plain one."""

import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nongma.lib.ff1 import FF1, FF1Digits19

KEY_128 = "2B7E151628AED2A6ABF7158809CF4F3C"
KEY_192 = KEY_128 + "EF4359D8D580AA4F"
KEY_256 = KEY_192 + "7F036D6F04FC6A94"
DIGITS_TWEAK = "39383736353433323130"
LETTERS_TWEAK = "3737373770717273373737"

# https://csrc.nist.gov/csrc/media/projects/cryptographic-standards-and-guidelines/documents/examples/ff1samples.pdf
SAMPLES = [
    (KEY_128, 10, "", "0123456789", "2433477484"),
    (KEY_128, 10, DIGITS_TWEAK, "0123456789", "6124200773"),
    (KEY_128, 36, LETTERS_TWEAK, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (KEY_192, 10, "", "0123456789", "2830668132"),
    (KEY_192, 10, DIGITS_TWEAK, "0123456789", "2496655549"),
    (KEY_192, 36, LETTERS_TWEAK, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (KEY_256, 10, "", "0123456789", "6657667009"),
    (KEY_256, 10, DIGITS_TWEAK, "0123456789", "1001623463"),
    (KEY_256, 36, LETTERS_TWEAK, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]

ciphers = st.sampled_from(["aes", "sm4"])
keys = st.binary(min_size=16, max_size=16)
numbers = st.integers(0, 10**19 - 1)


@pytest.mark.parametrize(("key", "radix", "tweak", "plain", "image"), SAMPLES)
def test_it_agrees_with_the_samples_of_nist(key: str, radix: int, tweak: str, plain: str, image: str):
    ff1 = FF1(bytes.fromhex(key), radix=radix)
    assert ff1.encrypt(plain, bytes.fromhex(tweak)) == image
    assert ff1.decrypt(image, bytes.fromhex(tweak)) == plain


@given(keys, ciphers, st.binary(max_size=40), st.integers(2, 36), st.data())
def test_it_gives_every_text_back(key: bytes, cipher: str, tweak: bytes, radix: int, data: st.DataObject):
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"[:radix]
    text = data.draw(st.text(alphabet, min_size=20, max_size=80))
    ff1 = FF1(key, radix=radix, cipher=cipher)
    image = ff1.encrypt(text, tweak)
    assert len(image) == len(text)
    assert set(image) <= set(alphabet)
    assert ff1.decrypt(image, tweak) == text


@settings(max_examples=3, deadline=None)
@given(keys)
def test_it_is_a_permutation_of_its_smallest_domain(key: bytes):
    ff1 = FF1(key)
    images = {ff1.encrypt(f"{number:06}") for number in range(20_000)}
    assert len(images) == 20_000


@given(keys, ciphers, numbers)
def test_the_form_for_nineteen_digits_is_ff1(key: bytes, cipher: str, number: int):
    fast, plain = FF1Digits19(key, cipher=cipher), FF1(key, cipher=cipher)
    image = fast.encrypt(number)
    assert f"{image:019}" == plain.encrypt(f"{number:019}")
    assert fast.decrypt(image) == number


@given(keys, ciphers, st.lists(numbers, min_size=1, max_size=50))
def test_the_bulk_form_agrees_with_the_single_one(key: bytes, cipher: str, many: list[int]):
    ff1 = FF1Digits19(key, cipher=cipher)
    halves = [divmod(number, 10**10) for number in many]
    left, right = ff1.encrypt_many(
        np.array([a for a, _ in halves], dtype=np.uint64), np.array([b for _, b in halves], dtype=np.uint64)
    )
    assert [int(a) * 10**10 + int(b) for a, b in zip(left, right, strict=True)] == [ff1.encrypt(n) for n in many]


def test_threads_may_share_one_key():
    ff1 = FF1Digits19(os.urandom(16))
    faults: list[int] = []

    def work() -> None:
        faults.extend(number for number in range(3_000) if ff1.decrypt(ff1.encrypt(number)) != number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_it_refuses_a_domain_below_the_standard():
    with pytest.raises(ValueError, match="million"):
        FF1(bytes(16)).encrypt("12345")
    with pytest.raises(ValueError, match="radix"):
        FF1(bytes(16), radix=37)
    with pytest.raises(ValueError, match="cipher"):
        FF1(bytes(16), cipher="des")
