import math
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_recommenders as tfrs

from modules.models.losses import chunks
from modules.models.losses.in_batch import InBatchSoftmax


def tfrs_task(**options: bool) -> Callable[..., tf.Tensor]:
    """TFRS's code is written for AutoGraph; to convert Keras' loss as well would take half a minute."""
    loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True, reduction=tf.keras.losses.Reduction.SUM)
    unconverted = tf.autograph.experimental.do_not_convert(lambda **inputs: loss(**inputs))
    return tf.function(tfrs.tasks.Retrieval(loss=unconverted, **options).call)


def tfrs_loss(labels: tf.Tensor, counts: np.ndarray, logq: bool, remove_hits: bool) -> Callable[..., tf.Tensor]:
    """TFRS's own task, whose sum over the batch becomes the mean."""
    task = tfrs_task(remove_accidental_hits=remove_hits)
    share = tf.gather(tf.constant(counts / counts.sum(), tf.float32), labels) if logq else None

    def loss(query: tf.Tensor, candidates: object) -> tf.Tensor:
        summed = task(
            query,
            candidates.rows(labels),
            candidate_ids=labels,
            candidate_sampling_probability=share,
            compute_metrics=False,
        )
        return summed / len(labels)

    return loss


@pytest.mark.parametrize("logq", [False, True])
@pytest.mark.parametrize("remove_hits", [False, True])
def test_folding_changes_neither_tfrs_loss_nor_its_gradients(
    gradients: Callable,
    query: tf.Tensor,
    vectors: tf.Tensor,
    labels: tf.Tensor,
    counts: np.ndarray,
    logq: bool,
    remove_hits: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "_SCORES", 8)
    folded = InBatchSoftmax(counts, logq_correction=logq, remove_accidental_hits=remove_hits)
    got = gradients(lambda query, candidates: folded(query, labels, candidates, True))
    wanted = gradients(tfrs_loss(labels, counts, logq, remove_hits))
    for scale in (0.1, 1.0, 10.0):
        for ours, theirs in zip(got(scale * query, vectors), wanted(scale * query, vectors), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


def test_a_large_batch_of_few_labels_agrees_with_tfrs(gradients: Callable, counts: np.ndarray) -> None:
    """Popular labels have hundreds of copies then."""
    rng = np.random.default_rng(0)
    labels = tf.constant(rng.choice(10, 1500, p=counts / counts.sum()), tf.int32)
    query = tf.constant(rng.normal(size=(1500, 4)), tf.float32)
    vectors = tf.constant(rng.normal(size=(10, 4)), tf.float32)
    folded = InBatchSoftmax(counts, logq_correction=True, remove_accidental_hits=True)
    got = gradients(lambda query, candidates: folded(query, labels, candidates, True))(query, vectors)
    wanted = gradients(tfrs_loss(labels, counts, True, True))(query, vectors)
    for ours, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("remove_hits", [False, True])
def test_it_stays_finite_at_extreme_scores(
    gradients: Callable, vectors: tf.Tensor, labels: tf.Tensor, counts: np.ndarray, remove_hits: bool
) -> None:
    folded = InBatchSoftmax(counts, logq_correction=True, remove_accidental_hits=remove_hits)
    values = gradients(lambda query, candidates: folded(query, labels, candidates, True))
    for sign in (1.0, -1.0):
        extreme = sign * 1000 * tf.gather(vectors, labels)
        assert all(np.isfinite(value).all() for value in values(extreme, vectors))


def test_equal_labels_alone_have_nothing_to_learn(
    gradients: Callable, query: tf.Tensor, vectors: tf.Tensor, counts: np.ndarray
) -> None:
    labels = tf.fill([len(query)], 3)
    for remove_hits, expected in ((True, 0.0), (False, math.log(len(query)))):
        folded = InBatchSoftmax(counts, logq_correction=False, remove_accidental_hits=remove_hits)
        loss, by_query, _ = gradients(lambda query, candidates, loss=folded: loss(query, labels, candidates, True))(
            query, vectors
        )
        assert loss == pytest.approx(3 * expected, abs=1e-5)
        assert by_query == pytest.approx(np.zeros(by_query.shape), abs=1e-5)


def test_the_logq_correction_takes_weight_from_popular_negatives(gradients: Callable) -> None:
    """At equal scores the gradient pushes a popular negative down less than a rare one, as its logit is lowered."""
    folded = InBatchSoftmax(np.array([0, 90, 9, 1]), logq_correction=True, remove_accidental_hits=True)
    labels = tf.constant([1, 2, 3], tf.int32)
    *_, by_vectors = gradients(lambda query, candidates: folded(query, labels, candidates, True))(
        tf.ones([3, 3]), tf.zeros([4, 3])
    )
    _, popular, _, rare = by_vectors.sum(axis=1)
    assert popular < rare


def test_the_model_sums_it_as_tfrs_does(make_model: Callable, examples: object) -> None:
    """Adagrad's steps depend on it, and with them what the tutorial's settings reach."""
    batch = next(iter(examples.batches(len(examples))))
    model = make_model({}, {"loss": "in-batch", "logq_correction": False, "remove_accidental_hits": False})
    context, labels = batch["context_movie_index"], batch["label_movie_index"]
    query = model.query(context, batch["context_movie_rating"], model.context_tower(context))
    expected = tfrs_task()(query, tf.gather(model.candidates(), labels - 1))
    assert float(model.compute_loss(batch)) == pytest.approx(float(expected), rel=1e-5)
    assert float(model.metrics[0].result()) == pytest.approx(float(expected) / len(examples), rel=1e-5)
