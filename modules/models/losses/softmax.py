"""Cross-entropy among given candidates, and the loss over the whole catalogue."""

import tensorflow as tf

from modules.models.candidates import CandidateView
from modules.models.losses.chunks import Part, mean_in_chunks

# Softmax can underflow to 0, whose logarithm is no number; the gradient is exact either way.
SMALLEST_PROBABILITY = 1e-30


class FullSoftmax:
    """All movies are candidates; those without a label are none to the view, so they are no negatives either."""

    def __call__(self, query: tf.Tensor, labels: tf.Tensor, candidates: CandidateView, training: bool) -> tf.Tensor:
        """See `Loss`."""
        del training
        # Row 0 is padding.
        return cross_entropy(query, candidates.table()[1:], labels - 1)


def cross_entropy(
    query: tf.Tensor,
    candidates: tf.Tensor,
    column: tf.Tensor,
    copies: tf.Tensor | None = None,
    removed: tf.Tensor | None = None,
) -> tf.Tensor:
    """Mean cross-entropy of each query's own candidate among all.

    With `copies`, a candidate stands for that many equal ones, which its logit must already account for by the
    logarithm of their number; all but one of a query's own copies are no negatives of it as far as they are `removed`.

    The gradient by hand, `softmax - one-hot`, costs less than half of TensorFlow's fused operation. Without the removed
    copies of its own candidate, a query's softmax is what it was, divided by the share that is left, but for its own
    candidate; so the gradient is divided by that share, and nothing else about it changes.

    Args:
        query: float32 `[n, dim]`.
        candidates: float32 `[m, dim]`.
        column: int32 `[n]`, the row of `candidates` that is the query's own.
        copies: float32 `[n]`, how many copies the own candidate stands for, from 1 on; 1 if not given.
        removed: float32 `[n]`, how many of these are removed, below `copies`; 0 if not given.
    """
    ones = tf.ones_like(column, tf.float32)
    copies = ones if copies is None else copies
    removed = tf.zeros_like(ones) if removed is None else removed
    return mean_in_chunks(_part, (query,), candidates, (column, copies, removed))


def with_one(query: tf.Tensor) -> tf.Tensor:
    """Queries `[n, dim + 1]` for candidates `with_offset`."""
    return tf.pad(query, [[0, 0], [0, 1]], constant_values=1.0)


def with_offset(candidates: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Candidates `[m, dim + 1]` whose logits an offset `[m]` is added to, by the matrix product itself."""
    return tf.concat([candidates, offset[:, tf.newaxis]], axis=1)


def _part(query: tf.Tensor, candidates: tf.Tensor, column: tf.Tensor, copies: tf.Tensor, removed: tf.Tensor) -> Part:
    probability = tf.nn.softmax(tf.matmul(query, candidates, transpose_b=True))
    own = tf.gather(probability, column, batch_dims=1)
    # At least 1 / copies: the own candidate itself is never removed.
    left = 1 - own * removed / copies
    loss = tf.reduce_sum(tf.math.log(left * copies) - tf.math.log(tf.maximum(own, SMALLEST_PROBABILITY)))
    weight = 1 / left[:, tf.newaxis]
    weighted = query * weight
    by_query = (tf.matmul(probability, candidates) - tf.gather(candidates, column)) * weight
    by_candidates = tf.matmul(probability, weighted, transpose_a=True)
    return loss, (by_query,), tf.tensor_scatter_nd_sub(by_candidates, column[:, tf.newaxis], weighted)
