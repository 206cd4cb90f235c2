from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nongma.lib import merkle

# The reference vectors of Certificate Transparency (RFC 6962): eight inputs, the roots of the first n.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_it_gives_the_published_roots(size: int) -> None:
    assert merkle.root([merkle.leaf(content) for content in INPUTS[:size]]).hex() == ROOTS[size - 1]


def test_it_gives_the_digest_of_nothing_for_no_leaves() -> None:
    assert merkle.root([]) == sha256(b"").digest()


def test_it_does_not_take_a_node_for_a_leaf() -> None:
    left, right = merkle.leaf(b"a"), merkle.leaf(b"b")
    assert merkle.leaf(left + right) != merkle.node(left, right)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_every_leaf_leads_to_the_root_by_its_path(contents: list[bytes], data: st.DataObject) -> None:
    leaves = [merkle.leaf(content) for content in contents]
    index = data.draw(st.integers(0, len(leaves) - 1))
    steps = merkle.path(leaves, index)
    assert merkle.root_from_path(leaves[index], index, len(leaves), steps) == merkle.root(leaves)
    assert merkle.root_from_path(merkle.leaf(b"another leaf"), index, len(leaves), steps) != merkle.root(leaves)


def test_it_refuses_a_path_of_the_wrong_length() -> None:
    leaves = [merkle.leaf(bytes([number])) for number in range(5)]
    steps = merkle.path(leaves, 2)
    with pytest.raises(ValueError, match="short"):
        merkle.root_from_path(leaves[2], 2, 5, steps[:-1])
    with pytest.raises(ValueError, match="long"):
        merkle.root_from_path(leaves[2], 2, 5, [*steps, steps[0]])
    with pytest.raises(IndexError):
        merkle.path(leaves, 5)
