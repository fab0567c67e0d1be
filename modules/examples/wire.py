"""The protocol buffer encoding of `tf.Example`, as far as lists of values need it.

See https://protobuf.dev/programming-guides/encoding/ and tensorflow/core/example/{example,feature}.proto.
"""

from collections.abc import Callable
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from modules.examples.ragged import Int64Array


class ListKind(IntEnum):
    """The field of `Feature` that holds the values."""

    BYTES = 1
    FLOAT = 2
    INT64 = 3


def varint(value: int) -> bytes:
    """Encodes a non-negative integer below 2^64."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def delimited_tag(field: int, size: int) -> bytes:
    """What stands before the `size` bytes of length-delimited field `field`."""
    return varint(field << 3 | 2) + varint(size)


def bytes_value(value: bytes) -> bytes:
    """One value of a `BytesList`."""
    return delimited_tag(1, len(value)) + value


def entry_prefix(name: str, kind: ListKind, size: int) -> bytes:
    """What stands in `Features` before the `size` bytes of the values of feature `name`.

    Numbers are packed, so their bytes are one field of the list, which is left out when there are none; the values of a
    `BytesList` are a field each already.
    """
    key = name.encode()
    values = b"" if kind is ListKind.BYTES or not size else delimited_tag(1, size)
    feature = delimited_tag(kind, len(values) + size) + values
    entry = delimited_tag(1, len(key)) + key + delimited_tag(2, len(feature) + size) + feature
    return delimited_tag(1, len(entry) + size) + entry


class PrefixTable:
    """Looks up what stands before `size` bytes, for many sizes at once; each size is encoded once."""

    def __init__(self, prefix: Callable[[int], bytes]) -> None:
        self._prefix = prefix
        self._table: npt.NDArray[np.object_] = np.empty(0, object)
        self._lengths: Int64Array = np.zeros(0, np.int64)

    def of(self, sizes: Int64Array) -> tuple[list[bytes], Int64Array]:
        """The prefixes and their lengths, `[n]` each, before payloads of `sizes` `[n]`."""
        largest = int(sizes.max(initial=0))
        if largest >= len(self._table):
            # Doubling keeps the work linear when sizes creep up from chunk to chunk.
            prefixes = [self._prefix(size) for size in range(2 * largest + 1)]
            self._table = np.array(prefixes, object)
            self._lengths = np.array([len(prefix) for prefix in prefixes], np.int64)
        return self._table[sizes].tolist(), self._lengths[sizes]
