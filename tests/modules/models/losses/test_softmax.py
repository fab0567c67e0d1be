import math
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from modules.models.losses import chunks
from modules.models.losses.softmax import FullSoftmax

FULL = FullSoftmax()


@pytest.mark.parametrize("scores_a_chunk", [1, 20, 1 << 22])
def test_full_softmax_is_tensorflows_with_its_gradients(
    gradients: Callable,
    query: tf.Tensor,
    vectors: tf.Tensor,
    labels: tf.Tensor,
    scores_a_chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "_SCORES", scores_a_chunk)

    def slow(query: tf.Tensor, candidates: object) -> tf.Tensor:
        logits = tf.matmul(query, candidates.table()[1:], transpose_b=True)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels - 1, logits))

    got = gradients(lambda query, candidates: FULL(query, labels, candidates, True))(query, vectors)
    for ours, theirs in zip(got, gradients(slow)(query, vectors), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_it_stays_finite_where_probabilities_underflow(gradients: Callable) -> None:
    loss, *both = gradients(lambda query, candidates: FULL(query, tf.constant([2]), candidates, True))(
        tf.constant([[1000.0]]), tf.constant([[0.0], [1.0], [-1.0]])
    )
    assert math.isfinite(loss)
    assert loss > 3 * 60
    assert all(np.isfinite(gradient).all() and gradient.any() for gradient in both)


def test_it_does_not_hide_a_broken_model(
    gradients: Callable, query: tf.Tensor, vectors: tf.Tensor, labels: tf.Tensor
) -> None:
    loss, *_ = gradients(lambda query, candidates: FULL(query, labels, candidates, True))(query * math.nan, vectors)
    assert math.isnan(loss)


def test_a_batch_without_rows_costs_nothing(gradients: Callable, query: tf.Tensor, vectors: tf.Tensor) -> None:
    """A replica may get none of the last batch."""
    nothing = tf.zeros([0], tf.int32)
    loss, by_query, by_vectors = gradients(lambda query, candidates: FULL(query, nothing, candidates, True))(
        query[:0], vectors
    )
    assert loss == 0
    assert by_query.shape == (0, query.shape[1])
    assert not by_vectors.any()
