"""Format-preserving encryption FF1 (NIST SP 800-38G): a number becomes another number of the same length."""

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

ROUNDS = 10
BLOCK_BYTES = 16
NUMERALS = "0123456789abcdefghijklmnopqrstuvwxyz"
LEAST_DOMAIN = 1_000_000

Words = NDArray[np.uint64]


class FF1:
    """FF1 over text of numerals in any radix from 2 to 36, with an optional tweak, as the standard writes it."""

    def __init__(self, key: bytes, *, radix: int = 10, cipher: str = "aes") -> None:
        """`key` is 16, 24 or 32 bytes for `aes`, 16 for `sm4`."""
        if not 2 <= radix <= len(NUMERALS):
            raise ValueError(f"radix {radix} is outside 2..{len(NUMERALS)}")
        self._radix = radix
        self._block = _block_cipher(key, cipher)

    def encrypt(self, text: str, tweak: bytes = b"") -> str:
        """The text's image: as many numerals again."""
        return self._feistel(text, tweak, range(ROUNDS))

    def decrypt(self, text: str, tweak: bytes = b"") -> str:
        """The text whose image this is."""
        return self._feistel(text, tweak, range(ROUNDS - 1, -1, -1))

    def _feistel(self, text: str, tweak: bytes, order: range) -> str:
        radix, length, block = self._radix, len(text), self._block()
        if length < 2 or radix**length < LEAST_DOMAIN:
            raise ValueError(f"{length} numerals of radix {radix} are fewer than the standard's million texts")
        u, v = length // 2, length - length // 2
        a, b = int(text[:u], radix), int(text[u:], radix)
        half_bytes = math.ceil(math.ceil(v * math.log2(radix)) / 8)
        kept_bytes = 4 * math.ceil(half_bytes / 4) + 4
        head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([ROUNDS, u % 256])
        p = head + length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
        padding = bytes((-len(tweak) - half_bytes - 1) % BLOCK_BYTES)
        forward = order.step > 0
        for i in order:
            modulus = radix ** (u if i % 2 == 0 else v)
            fed, other = (b, a) if forward else (a, b)
            q = tweak + padding + bytes([i]) + fed.to_bytes(half_bytes, "big")
            r = mac = _cbc_mac(block, p + q)
            for j in range(1, math.ceil(kept_bytes / BLOCK_BYTES)):
                r += block(_xor(mac, j.to_bytes(BLOCK_BYTES, "big")))
            y = int.from_bytes(r[:kept_bytes], "big")
            mixed = (other + y if forward else other - y) % modulus
            a, b = (fed, mixed) if forward else (mixed, fed)
        return _numerals(a, radix, u) + _numerals(b, radix, v)


class FF1Digits19:
    """FF1 over 19 decimal digits without tweak, the shape of a printed code: one at a time or many in numpy.

    At this length each round's input is one constant block and one block that holds the round and a half. The
    constant one is enciphered once, so a round costs one call of the block cipher, for one number or for a million.
    """

    LENGTH = 19
    LEFT = 10**9
    RIGHT = 10**10

    def __init__(self, key: bytes, *, cipher: str = "aes") -> None:
        self._block = _block_cipher(key, cipher)
        p = bytes([1, 2, 1, 0, 0, 10, ROUNDS, 9]) + self.LENGTH.to_bytes(4, "big") + bytes(4)
        constant = int.from_bytes(self._block()(p), "big")
        self._masks = tuple(constant ^ i << 40 for i in range(ROUNDS))
        self._undo = tuple(zip(self._masks[::-2], self._masks[-2::-2], strict=True))

    def encrypt(self, number: int) -> int:
        """The image of `number` (0 to 10**19 - 1)."""
        a, b = divmod(number, self.RIGHT)
        block, masks = self._block(), self._masks
        for i in range(0, ROUNDS, 2):
            a = (a + (int.from_bytes(block((b ^ masks[i]).to_bytes(16, "big")), "big") >> 32)) % self.LEFT
            b = (b + (int.from_bytes(block((a ^ masks[i + 1]).to_bytes(16, "big")), "big") >> 32)) % self.RIGHT
        return a * self.RIGHT + b

    def decrypt(self, number: int) -> int:
        """The number whose image this is."""
        a, b = divmod(number, 10_000_000_000)
        block, read = self._block(), int.from_bytes
        # Bare constants and default byte orders: a false code is answered in little more than this loop.
        for odd, even in self._undo:
            b = (b - (read(block((a ^ odd).to_bytes(16))) >> 32)) % 10_000_000_000
            a = (a - (read(block((b ^ even).to_bytes(16))) >> 32)) % 1_000_000_000
        return a * 10_000_000_000 + b

    def encrypt_many(self, left: Words, right: Words) -> tuple[Words, Words]:
        """The images of many numbers, given and returned as their first 9 and last 10 digits."""
        a, b = left, right
        size = len(a)
        plain = np.empty((size, 2), dtype=">u8")
        enciphered = bytearray(size * BLOCK_BYTES + BLOCK_BYTES - 1)
        words = np.frombuffer(enciphered, dtype=">u8", count=size * 2).reshape(size, 2)
        cipher = self._block.context()
        plain[:, 0] = self._masks[0] >> 64
        for i, mask in enumerate(self._masks):
            np.bitwise_xor(b, np.uint64(mask & 0xFFFFFFFFFFFFFFFF), out=plain[:, 1])
            cipher.update_into(plain.data.cast("B"), enciphered)
            high = words[:, 0].astype(np.uint64)
            low = words[:, 1].astype(np.uint64) >> np.uint64(32)
            digits = 9 if i % 2 == 0 else 10
            a, b = b, _reduced(a + _remainder(high, low, digits), 10**digits)
        return a, b


class _OfThread(threading.local):
    """What each thread has of its own."""

    update: Callable[[bytes], bytes]


class _BlockCipher:
    """A block cipher's bare permutation. Each thread has a context of its own: contexts may not be shared."""

    def __init__(self, algorithm: Any) -> None:
        self._algorithm = algorithm
        self._local = _OfThread()

    def __call__(self) -> Callable[[bytes], bytes]:
        """This thread's function from block to block."""
        try:
            return self._local.update
        except AttributeError:
            self._local.update = self.context().update
            return self._local.update

    def context(self) -> Any:
        """A new context, for bulk work."""
        return Cipher(self._algorithm, modes.ECB()).encryptor()  # noqa: S305 (FF1 is built on the bare block)


def _block_cipher(key: bytes, name: str) -> _BlockCipher:
    if name == "aes":
        return _BlockCipher(algorithms.AES(key))
    if name == "sm4":
        return _BlockCipher(algorithms.SM4(key))
    raise ValueError(f"unknown cipher {name}")


def _cbc_mac(block: Callable[[bytes], bytes], message: bytes) -> bytes:
    """The standard's PRF: the last block of CBC over the message, from a zero block."""
    state = bytes(BLOCK_BYTES)
    for start in range(0, len(message), BLOCK_BYTES):
        state = block(_xor(state, message[start : start + BLOCK_BYTES]))
    return state


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(BLOCK_BYTES, "big")


def _numerals(number: int, radix: int, length: int) -> str:
    found = []
    for _ in range(length):
        number, digit = divmod(number, radix)
        found.append(NUMERALS[digit])
    return "".join(reversed(found))


def _remainder(high: Words, low: Words, digits: int) -> Words:
    """(high * 2**32 + low) mod 10**digits, for digits of 9 or 10, in 64-bit words.

    10**d is 2**d * 5**d. The last d bits are their own remainder of 2**d; what stands before them is reduced by 5**d,
    which is below 2**24, so that no step overflows.
    """
    shift = np.uint64(32 - digits)
    modulus = 5**digits
    front = _reduced(high, modulus) << shift
    front = _reduced(front | (low >> np.uint64(digits)), modulus)
    return (front << np.uint64(digits)) | (low & np.uint64(2**digits - 1))


def _reduced(numbers: Words, modulus: int) -> Words:
    """numbers mod modulus: numpy divides by a constant with vector instructions, but takes no remainder with them."""
    return numbers - numbers // np.uint64(modulus) * np.uint64(modulus)
