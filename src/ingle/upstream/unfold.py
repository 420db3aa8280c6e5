"""Bodies that a server compressed although none was asked for, unfolded in bounded parts."""

from __future__ import annotations

import zlib

__all__ = ["Unfolding"]

_PART_BYTES = 1024 * 1024
_ANY_HEADER = 32 + zlib.MAX_WBITS  # gzip's or zlib's, whichever the data begins with


class Unfolding:
    """Unfolds gzip or deflate as it comes, never more than 1 MiB at a time.

    A few bytes can unfold to a gigabyte, so whoever reads adds up the parts and stops in time.
    """

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_ANY_HEADER)
        self._folded = b""
        self.has_more = False

    @property
    def is_whole(self) -> bool:
        """Whether the compressed data has reached its own end."""
        return self._stream.eof

    def unfold(self, data: bytes) -> bytes:
        """The next part. While `has_more`, call again with `b""` before feeding on.

        Raises:
            zlib.error: the data is damaged.
        """
        if self._stream.eof and (self._folded or data):  # gzip may consist of several members
            self._stream = zlib.decompressobj(_ANY_HEADER)
        part = self._stream.decompress(self._folded + data, _PART_BYTES)
        self._folded = self._stream.unconsumed_tail or self._stream.unused_data
        self.has_more = bool(self._folded) or len(part) == _PART_BYTES
        return part
