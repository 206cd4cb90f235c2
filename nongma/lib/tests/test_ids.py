import itertools
import time

from nongma.lib.ids import uuid7


def test_a_key_is_a_uuid_of_version_7_that_says_when_it_was_made():
    before = time.time_ns() // 1_000_000
    key = uuid7()
    assert (key.version, key.variant) == (7, "specified in RFC 4122")
    assert before <= key.int >> 80 <= time.time_ns() // 1_000_000


def test_keys_made_a_hundredth_of_a_millisecond_apart_keep_their_order():
    keys = []
    for _ in range(200):
        keys.append(uuid7())
        until = time.perf_counter_ns() + 10_000
        while time.perf_counter_ns() < until:
            pass
    assert all(one < other for one, other in itertools.pairwise(keys))
