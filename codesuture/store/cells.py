"""A small file of counts, one cell for each patch, that is written many thousand times a second.

Where that is safe the file is mapped into memory: a count costs a tenth of a write, and does not
hand the interpreter to another thread. What is in the mapping is in the file, however the process
ends. A page that cannot be written ends a process by a signal, though, so only file systems are
mapped that overwrite blocks where they are (``_IN_PLACE``), in a file whose blocks have been
written before: there a full disk is none of our business any more. Elsewhere it is written to.
"""

from __future__ import annotations

import os
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from mmap import mmap

#: File systems of Linux that overwrite a block in place; btrfs, ZFS, overlayfs and network file
#: systems may have to find a new one.
_IN_PLACE = frozenset({"ext2", "ext3", "ext4", "xfs", "tmpfs", "ramfs"})
_MOUNTS = "/proc/self/mountinfo"

#: The patch's id, its count, and when it was last counted, as ``time.time`` says.
_CELL = struct.Struct("=12s4xQd")
_WORDS = _CELL.size // 8
_COUNT, _LAST = 2, 3
CELLS = 1024
SIZE = CELLS * _CELL.size


class Cells:
    """The cells of one open file, which is this process's own. Raises OSError when it is full."""

    __slots__ = ("_counts", "_descriptor", "_map", "_moments", "_of")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._of: dict[str, int] = {}
        self._map: mmap | None = None
        if os.write(descriptor, bytes(SIZE)) != SIZE:
            raise OSError("the disk is full")
        if _overwrites_in_place(descriptor):
            from mmap import mmap

            self._map = mmap(descriptor, SIZE)
            self._counts = memoryview(self._map).cast("Q")
            self._moments = memoryview(self._map).cast("d")

    def add(self, patch_id: str, moment: float) -> None:
        """One more at this time."""
        cell = self._of.get(patch_id)
        if cell is None:
            self.put(patch_id, 1, moment)
        elif self._map is not None:
            self._moments[cell + _LAST] = moment
            self._counts[cell + _COUNT] += 1
        else:
            old = _CELL.unpack(self._read(cell))
            self.put(patch_id, old[1] + 1, moment)

    def put(self, patch_id: str, count: int, moment: float) -> None:
        """As many, the last one at this time."""
        cell = self._of.get(patch_id)
        if cell is None:
            if len(self._of) == CELLS:
                raise OSError("all cells are taken")
            cell = self._of[patch_id] = len(self._of) * _WORDS
        content = _CELL.pack(patch_id.encode("ascii"), count, moment)
        if self._map is not None:
            self._map[8 * cell : 8 * cell + _CELL.size] = content
        else:
            os.lseek(self._descriptor, 8 * cell, os.SEEK_SET)
            os.write(self._descriptor, content)

    def hold(self, counts: Mapping[str, int], moment: float) -> None:
        """These counts and no others.

        Each cell goes from one count to the other in one step: a process may be killed between two.
        """
        for patch_id in (*self._of, *(counts.keys() - self._of.keys())):
            count = counts.get(patch_id, 0)
            self.put(patch_id, count, moment if count else 0.0)

    def close(self) -> None:
        """Let go of the file; what is in it stays."""
        if self._map is not None:
            self._counts.release()
            self._moments.release()
            self._map.close()
            self._map = None
        os.close(self._descriptor)

    def _read(self, cell: int) -> bytes:
        os.lseek(self._descriptor, 8 * cell, os.SEEK_SET)
        return os.read(self._descriptor, _CELL.size)


def cells_in(content: bytes) -> Iterator[tuple[bytes, int, float]]:
    """Id, count and last moment of each cell that is used; of content that may be damaged."""
    whole = len(content) - len(content) % _CELL.size
    for patch_id, count, moment in _CELL.iter_unpack(content[:whole]):
        if count:
            yield patch_id, count, moment


def _overwrites_in_place(descriptor: int) -> bool:
    """Whether the file is on a file system that is known to; as the kernel names it."""
    if sys.platform != "linux":
        return False
    device = os.fstat(descriptor).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with open(_MOUNTS, encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            words = line.split()
            if words[2] == number:
                return words[words.index("-") + 1] in _IN_PLACE
    return False
