"""Hash trees as in RFC 6962, section 2.1: one root over many hashes, and short proofs that one of them is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf and keeps only the roots of its full subtrees."""

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        self.size = size
        self.roots = list(roots)

    def add(self, data: bytes) -> None:
        """Add a leaf at the right end."""
        found, size = leaf_hash(data), self.size
        while size & 1:
            found, size = node_hash(self.roots.pop(), found), size >> 1
        self.roots.append(found)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.roots:
            return hashlib.sha256(b"").digest()
        found = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            found = node_hash(left, found)
        return found


def levels(data: Sequence[bytes]) -> list[list[bytes]]:
    """Return the hashes of a tree level by level, leaves first; an odd last node rises unpaired."""
    found = [[leaf_hash(item) for item in data]]
    while len(found[-1]) > 1:
        below = found[-1]
        above = [node_hash(below[k], below[k + 1]) for k in range(0, len(below) - 1, 2)]
        found.append([*above, below[-1]] if len(below) % 2 else above)
    return found


def proof(found: Sequence[Sequence[bytes]], index: int) -> list[tuple[str, bytes]]:
    """Return the neighbours from a leaf up to the root, each with the side on which it stands."""
    path = []
    for level in found[:-1]:
        neighbour = index ^ 1
        if neighbour < len(level):
            path.append(("left" if neighbour < index else "right", level[neighbour]))
        index >>= 1
    return path


def root_of(data: bytes, path: Sequence[tuple[str, bytes]]) -> bytes:
    """Return the root that a leaf and its neighbours lead to."""
    found = leaf_hash(data)
    for side, neighbour in path:
        found = node_hash(neighbour, found) if side == "left" else node_hash(found, neighbour)
    return found
