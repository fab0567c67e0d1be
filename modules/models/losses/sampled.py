"""Losses over sampled negatives; one sample serves all queries of a batch, for it costs one matrix product then."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from modules.models.candidates import NEVER, CandidateView
from modules.models.losses.chunks import Part, mean_in_chunks
from modules.models.losses.softmax import SMALLEST_PROBABILITY, with_offset, with_one
from modules.models.sampling import Sampler

# An evaluated label that is none in training has a score of NEVER, which would drown all others' losses.
_LOWEST_EVALUATED_SCORE = -100.0


class SampledSoftmax:
    """Softmax over the label and the sampled negatives, each negative in the place of all that it might have been.

    A negative that is drawn `c` times among `k`, each time with probability `p`, has the logit
    `score - log(k p) + log(c)`, an accidental hit of the label none, and the label its score itself: so the denominator
    is an unbiased estimate of the full softmax's (importance sampling: Bengio and Senecal, "Adaptive importance
    sampling to accelerate training of a neural probabilistic language model", 2008).
    """

    def __init__(self, label_counts: npt.NDArray[np.int64], negatives: int, by_popularity: float) -> None:
        """Takes label counts int64 `[movies + 1]`, the size of a sample and the share that is drawn by popularity."""
        self._negatives = negatives
        self._sampler = Sampler.mixed(label_counts, by_popularity)

    def __call__(self, query: tf.Tensor, labels: tf.Tensor, candidates: CandidateView, training: bool) -> tf.Tensor:
        """See `Loss`."""
        drawn, _, copies = tf.unique_with_counts(self._sampler.draw(self._negatives, training))
        expected = np.float32(np.log(self._negatives)) + tf.gather(self._sampler.log_probability, drawn)
        offset = tf.math.log(tf.cast(copies, tf.float32)) - expected

        def part(query: tf.Tensor, own: tf.Tensor, vectors: tf.Tensor, labels: tf.Tensor) -> Part:
            logits = _without_hits(tf.matmul(query, vectors, transpose_b=True), drawn, labels)
            probability = tf.nn.softmax(tf.concat([own[:, tf.newaxis], logits], axis=1))
            label, negatives = probability[:, 0], probability[:, 1:]
            loss = -tf.reduce_sum(tf.math.log(tf.maximum(label, SMALLEST_PROBABILITY)))
            by_rows = tf.matmul(negatives, vectors), label - 1
            return loss, by_rows, tf.matmul(negatives, query, transpose_a=True)

        own = _own_score(query, labels, candidates, training)
        return mean_in_chunks(part, (with_one(query), own), with_offset(candidates.rows(drawn), offset), (labels,))


class CalibratedBinary:
    """gBCE: binary cross-entropy of the label, to the power of `beta`, and of uniform negatives.

    Petrov and Macdonald, "gSASRec: Reducing Overconfidence in Sequential Recommendation Trained with Negative
    Sampling", RecSys 2023: with `a` the share of the other movies that are sampled and the
    calibration `t`, `beta = a (t (1 - 1 / a) + 1 / a)`, and a query's loss is
    `-(beta log s(label) + sum(log(1 - s(negative)))) / (negatives + 1)` with the sigmoid `s`. The paper draws negatives
    for each query; here they are a batch's, with replacement, and accidental hits of the label are left out.
    """

    def __init__(self, label_counts: npt.NDArray[np.int64], negatives: int, calibration: float) -> None:
        """Takes label counts int64 `[movies + 1]`, the size of a sample and the paper's `t`."""
        self._negatives = negatives
        self._sampler = Sampler.mixed(label_counts, by_popularity=0)
        others = max(np.count_nonzero(label_counts) - 1, 1)
        sampled = min(negatives / others, 1)
        self.beta = sampled * (calibration * (1 - 1 / sampled) + 1 / sampled)

    def __call__(self, query: tf.Tensor, labels: tf.Tensor, candidates: CandidateView, training: bool) -> tf.Tensor:
        """See `Loss`."""
        drawn, _, copies = tf.unique_with_counts(self._sampler.draw(self._negatives, training))
        weight = tf.cast(copies, tf.float32)[:, tf.newaxis] / (self._negatives + 1)
        own_weight = self.beta / (self._negatives + 1)

        def part(query: tf.Tensor, own: tf.Tensor, vectors: tf.Tensor, labels: tf.Tensor) -> Part:
            logits = _without_hits(tf.matmul(query, vectors, transpose_b=True), drawn, labels)
            of_own = own_weight * tf.reduce_sum(tf.nn.softplus(-own))
            loss = of_own + tf.reduce_sum(tf.matmul(tf.nn.softplus(logits), weight))
            mistaken = tf.sigmoid(logits)
            by_rows = tf.matmul(mistaken, weight * vectors), -own_weight * tf.sigmoid(-own)
            return loss, by_rows, weight * tf.matmul(mistaken, query, transpose_a=True)

        own = _own_score(query, labels, candidates, training)
        return mean_in_chunks(part, (query, own), candidates.rows(drawn), (labels,))


def _own_score(query: tf.Tensor, labels: tf.Tensor, candidates: CandidateView, training: bool) -> tf.Tensor:
    """Each query's score for its label, float32 `[n]`."""
    score = tf.reduce_sum(query * candidates.rows(labels), axis=1)
    return score if training else tf.maximum(score, _LOWEST_EVALUATED_SCORE)


def _without_hits(logits: tf.Tensor, drawn: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Logits `[n, negatives]`, with nothing left of those where a query's label was drawn."""
    return tf.where(labels[:, tf.newaxis] == drawn, NEVER, logits)
