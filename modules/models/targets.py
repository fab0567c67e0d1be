"""What is learned from a window of a timeline."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from modules.models.query_tower import event_count


def next_events(context: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """The event that follows on each event of the windows: the window's next one, and the label on its last.

    Args:
        context: int `[batch, length]` in the id space, the padding last.
        label: int `[batch]`.

    Returns:
        As `context`, 0 at padding.
    """
    following = tf.pad(context[:, 1:], [[0, 0], [0, 1]])
    last = tf.one_hot(event_count(context) - 1, tf.shape(context)[1], dtype=context.dtype)
    return following + last * label[:, tf.newaxis]


def count_targets(
    context: npt.NDArray[np.int32], label: npt.NDArray[np.int32], rows: int, every_position: bool
) -> npt.NDArray[np.int64]:
    """How often each movie of the id space is a target of examples, int64 `[rows]`; see `next_events`.

    Args:
        context: int32 `[examples, length]`.
        label: int32 `[examples]`, all known.
        rows: size of the id space.
        every_position: whether the events of the context are targets, too, all but the first of a window.
    """
    counts = np.bincount(label, minlength=rows)
    if every_position:
        counts += np.bincount(context[:, 1:].ravel(), minlength=rows)
        counts[0] = 0
    return counts
