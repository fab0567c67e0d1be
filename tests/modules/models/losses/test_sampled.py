import math
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from modules.models.losses import chunks, sampled
from modules.models.losses.sampled import CalibratedBinary, SampledSoftmax
from modules.models.sampling import Sampler


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What every sampler draws, whatever it is asked for."""
    ids = [1, 1, 2, 3, 5, 1, 7, 4]
    monkeypatch.setattr(Sampler, "draw", lambda self, count, training: tf.constant(ids[:count], tf.int32))
    return ids


def slow_sampled_softmax(
    query: tf.Tensor, table: tf.Tensor, labels: tf.Tensor, drawn: list[int], probability: np.ndarray
) -> tf.Tensor:
    """A negative a draw, without folding."""
    losses = []
    for row, own in enumerate(labels.numpy()):
        score = tf.linalg.matvec(table, query[row])
        negatives = [score[other] - math.log(len(drawn) * probability[other]) for other in drawn if other != own]
        losses.append(tf.reduce_logsumexp(tf.stack([score[own], *negatives])) - score[own])
    return tf.reduce_mean(tf.stack(losses))


@pytest.mark.parametrize("by_popularity", [0.0, 0.3, 1.0])
def test_sampled_softmax_agrees_with_the_obvious_way(
    gradients: Callable,
    query: tf.Tensor,
    vectors: tf.Tensor,
    labels: tf.Tensor,
    counts: np.ndarray,
    drawn: list[int],
    by_popularity: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "_SCORES", 8)
    fast = SampledSoftmax(counts, len(drawn), by_popularity)
    uniform = (counts > 0) / np.count_nonzero(counts)
    probability = by_popularity * counts / counts.sum() + (1 - by_popularity) * uniform
    got = gradients(lambda query, candidates: fast(query, labels, candidates, True))(query, vectors)
    wanted = gradients(
        lambda query, candidates: slow_sampled_softmax(query, candidates.table(), labels, drawn, probability)
    )(query, vectors)
    for ours, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("by_popularity", [0.0, 0.5, 1.0])
def test_many_negatives_of_any_mixture_give_the_full_softmax(
    gradients: Callable,
    query: tf.Tensor,
    vectors: tf.Tensor,
    labels: tf.Tensor,
    counts: np.ndarray,
    by_popularity: float,
) -> None:
    """That is what the correction is for: without it, or with the other sign, popularity would be learnt twice."""
    tf.random.set_seed(1)
    fast = SampledSoftmax(counts, 400_000, by_popularity)
    labelled = np.flatnonzero(counts)

    def full(query: tf.Tensor, candidates: object) -> tf.Tensor:
        logits = tf.matmul(query, tf.gather(candidates.table(), labelled), transpose_b=True)
        column = np.searchsorted(labelled, labels.numpy())
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(column, logits))

    got = gradients(lambda query, candidates: fast(query, labels, candidates, True))(query, vectors)
    for ours, theirs in zip(got, gradients(full)(query, vectors), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_a_popular_negative_has_a_lower_logit_than_a_rare_one(
    gradients: Callable, counts: np.ndarray, drawn: list[int]
) -> None:
    drawn[:] = [1, 4]
    fast = SampledSoftmax(counts, 2, by_popularity=1.0)
    *_, by_vectors = gradients(lambda query, candidates: fast(query, tf.constant([3], tf.int32), candidates, True))(
        tf.ones([1, 4]), tf.zeros([10, 4])
    )
    popular, rare = by_vectors[1, 0], by_vectors[4, 0]
    # Both are pushed down, in proportion to 1 / probability.
    assert 0 < popular < rare
    assert rare / popular == pytest.approx(60)


def slow_gbce(
    query: np.ndarray, table: np.ndarray, labels: list[int], drawn: list[int], alpha: float, t: float
) -> float:
    beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    losses = []
    for row, own in enumerate(labels):
        sigmoid = 1 / (1 + np.exp(-table.astype(np.float64) @ query[row]))
        positive = beta * math.log(sigmoid[own])
        losses.append(-(positive + sum(math.log(1 - sigmoid[other]) for other in drawn if other != own)))
    return float(np.mean(losses)) / (len(drawn) + 1)


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_gbce_is_the_papers(
    gradients: Callable,
    query: tf.Tensor,
    vectors: tf.Tensor,
    labels: tf.Tensor,
    counts: np.ndarray,
    drawn: list[int],
    calibration: float,
) -> None:
    drawn[:] = drawn[:3]
    loss = CalibratedBinary(counts, 3, calibration)
    got, by_query, by_vectors = gradients(lambda query, candidates: loss(query, labels, candidates, True))(
        query, vectors
    )

    def slow(query: np.ndarray, table: np.ndarray) -> float:
        # Seven movies have labels, so six are a label's possible negatives.
        return 3 * slow_gbce(query, table, labels.numpy().tolist(), drawn, 3 / 6, calibration)

    assert got == pytest.approx(slow(query.numpy(), vectors.numpy()), rel=1e-5)
    for gradient, at in ((by_query, (2, 1)), (by_vectors, (1, 0)), (by_vectors, (5, 3))):
        moved = [query.numpy().astype(np.float64), vectors.numpy().astype(np.float64)]
        input_ = moved[0] if gradient is by_query else moved[1]
        input_[at] += 1e-4
        up = slow(*moved)
        input_[at] -= 2e-4
        assert gradient[at] == pytest.approx((up - slow(*moved)) / 2e-4, abs=1e-4)


def test_without_calibration_gbce_is_binary_cross_entropy(counts: np.ndarray) -> None:
    assert CalibratedBinary(counts, 3, calibration=0).beta == pytest.approx(1)
    assert CalibratedBinary(counts, 3, calibration=1).beta == pytest.approx(3 / 6)
    # More draws than movies sample all of them, at most.
    assert CalibratedBinary(counts, 100, calibration=1).beta == 1


@pytest.mark.parametrize("loss_name", ["SampledSoftmax", "CalibratedBinary"])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_extreme_scores_stay_finite(
    gradients: Callable, vectors: tf.Tensor, labels: tf.Tensor, counts: np.ndarray, loss_name: str, sign: float
) -> None:
    loss = getattr(sampled, loss_name)(counts, 5, 0.5)
    query = sign * 1000 * tf.gather(vectors, labels)
    values = gradients(lambda query, candidates: loss(query, labels, candidates, True))(query, vectors)
    assert all(np.isfinite(value).all() for value in values)


@pytest.mark.parametrize("loss_name", ["SampledSoftmax", "CalibratedBinary"])
def test_evaluations_compare_and_trainings_vary(
    gradients: Callable,
    query: tf.Tensor,
    vectors: tf.Tensor,
    labels: tf.Tensor,
    counts: np.ndarray,
    loss_name: str,
) -> None:
    loss = getattr(sampled, loss_name)(counts, 5, 0.5)

    def losses(training: bool, seed: int) -> list[float]:
        tf.random.set_seed(seed)
        run = gradients(lambda query, candidates: loss(query, labels, candidates, training))
        return [run(query, vectors)[0] for _ in range(3)]

    assert len({*losses(False, 1), *losses(False, 2)}) == 1
    assert losses(True, 1) == losses(True, 1)
    assert len({*losses(True, 1), *losses(True, 2)}) > 3


@pytest.mark.parametrize("loss_name", ["SampledSoftmax", "CalibratedBinary"])
def test_an_evaluated_label_that_training_never_had_does_not_drown_the_others(
    gradients: Callable, counts: np.ndarray, loss_name: str
) -> None:
    """A model with biases gives such a movie one of -1e9."""
    loss = getattr(sampled, loss_name)(counts, 5, 0.5)
    vectors = tf.constant(np.where(counts > 0, 0, -1e9)[:, np.newaxis], tf.float32)
    value, *_ = gradients(lambda query, candidates: loss(query, tf.constant([6], tf.int32), candidates, False))(
        tf.ones([1, 1]), vectors
    )
    assert 1 < value < 1000
