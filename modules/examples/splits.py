"""Which examples train and which are evaluated."""

import random
from array import array
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from modules.errors import DataError
from modules.examples.ragged import BoolArray, Int64Array, offsets
from modules.examples.timelines import Timelines
from modules.features import EVAL_SPLIT, TRAIN_SPLIT, VALIDATION_SPLIT

Masks = dict[str, BoolArray]


class Split(Protocol):
    """Decides about the labels of one block; small, because it travels with the block to a Beam worker."""

    def masks(self, timelines: Timelines) -> Masks:
        """Which labels belong to each split, `[labels]`; every label belongs to one."""
        ...


@dataclass(frozen=True)
class RandomSplit:
    """The block's share of a shuffle of all examples, one bit a label."""

    bits: bytes

    @classmethod
    def pack(cls, evaluated: BoolArray) -> "RandomSplit":
        return cls(np.packbits(evaluated).tobytes())

    def masks(self, timelines: Timelines) -> Masks:
        bits = np.frombuffer(self.bits, np.uint8)
        return _two_splits(np.unpackbits(bits, count=len(timelines.labels)).astype(np.bool_))


@dataclass(frozen=True)
class TemporalSplit:
    """Trains on labels before `time` and evaluates from it on, so a training example knows nothing of the evaluation.

    A context is older than its label or as old, hence events from `time` on stand in evaluation examples alone.
    """

    time: int

    def masks(self, timelines: Timelines) -> Masks:
        return _two_splits(timelines.timestamp[timelines.labels] >= self.time)


@dataclass(frozen=True)
class LeaveOneOut:
    """Evaluates every user's last event and validates on the one before it, unless that is the user's first."""

    def masks(self, timelines: Timelines) -> Masks:
        after = np.repeat(timelines.starts[1:], timelines.labels_per_user) - timelines.labels
        return {TRAIN_SPLIT: after > 2, EVAL_SPLIT: after == 1, VALIDATION_SPLIT: after == 2}


def _two_splits(evaluated: BoolArray) -> Masks:
    return {TRAIN_SPLIT: ~evaluated, EVAL_SPLIT: evaluated}


def last_of_windows(timelines: Timelines, train: BoolArray, length: int) -> BoolArray:
    """Which training labels end a window of `length` labels, `[labels]`; windows are counted back from the last one.

    Args:
        timelines: a block of whole users.
        train: which labels train, `[labels]`; of each user the first so many.
        length: labels in a window, as many as its context holds events.
    """
    trained = np.concatenate([[0], np.cumsum(train)])
    borders = offsets(timelines.labels_per_user)
    last = np.repeat(trained[borders[1:]], timelines.labels_per_user)
    return train & ((last - trained[1:]) % length == 0)


def shuffled_out(examples: int, train_fraction: float, seed: int) -> BoolArray:
    """Which of `examples` numbered examples the seed's random split evaluates, `[examples]`.

    The seed shuffles the list of all examples with `random.shuffle` and trains on the first `train_fraction` of it.
    `random.shuffle` draws by position alone, so shuffling the numbers gives its very split at 4 bytes an example.
    """
    order = array("I", range(examples))
    random.Random(seed).shuffle(order)
    evaluated = np.ones(examples, np.bool_)
    evaluated[np.frombuffer(order, np.uint32)[: round(examples * train_fraction)]] = False
    return evaluated


def quantile_time(label_times: Int64Array, train_fraction: float) -> int:
    """The time before which at most `train_fraction` of the labels happened; labels of that very second are evaluated.

    Raises:
        DataError: there is no label, or that second is the first one, which leaves nothing to train on.
    """
    position = round(len(label_times) * train_fraction)
    if not len(label_times) or position == len(label_times):
        raise DataError(f"{len(label_times)} examples are too few for a temporal split at {train_fraction:.0%}")
    time = int(np.partition(label_times, position)[position])
    if time == label_times.min():
        raise DataError(
            f"a temporal split at {train_fraction:.0%} falls on the first second of all labels ({time}), "
            "which leaves none for training; set split_time or another split"
        )
    return time
