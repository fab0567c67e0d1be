"""The labels of the batch as each other's negatives, with duplicates folded."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from modules.models.candidates import CandidateView
from modules.models.losses.softmax import cross_entropy, with_offset, with_one

# TFRS clips there, too.
_SMALLEST_SHARE = 1e-6


class InBatchSoftmax:
    """The loss of `tfrs.tasks.Retrieval`, with the same gradient, at a fraction of its price.

    TFRS scores every query of a batch for the label of every example, `n x n`, although most labels occur often. Here
    each distinct label is scored once, with the logarithm of its number of copies added to its logit: `n x distinct`.

    TFRS sums its loss over the batch; this is the mean, as every loss here is. `RetrievalModel` multiplies it by the
    number of targets again, because the rates of published recipes are made for that sum: Adagrad's steps, and with
    them `seed-sequential`, depend on the scale of a loss.

    With several replicas a query's negatives are the labels of its own replica's share of the batch, as in TFRS.
    """

    def __init__(
        self, label_counts: npt.NDArray[np.int64], *, logq_correction: bool, remove_accidental_hits: bool
    ) -> None:
        """Makes the loss.

        Args:
            label_counts: int64 `[movies + 1]`, how often each movie of the id space is a label in training.
            logq_correction: a movie is a negative in proportion to its popularity; subtracts the logarithm of that
                probability from its logit (Yi et al., "Sampling-bias-corrected neural modeling for large corpus item
                recommendations", RecSys 2019).
            remove_accidental_hits: examples of the same label are not each other's negatives.
        """
        share = np.clip(label_counts / max(label_counts.sum(), 1), _SMALLEST_SHARE, 1)
        self._log_share = np.log(share).astype(np.float32) if logq_correction else np.zeros(share.shape, np.float32)
        self._remove_accidental_hits = remove_accidental_hits

    def __call__(self, query: tf.Tensor, labels: tf.Tensor, candidates: CandidateView, training: bool) -> tf.Tensor:
        """See `Loss`."""
        del training
        distinct, column, copies = tf.unique_with_counts(labels)
        copies = tf.cast(copies, tf.float32)
        offset = tf.math.log(copies) - tf.gather(self._log_share, distinct)
        own_copies = tf.gather(copies, column)
        return cross_entropy(
            with_one(query),
            with_offset(candidates.rows(distinct), offset),
            column,
            own_copies,
            own_copies - 1 if self._remove_accidental_hits else None,
        )
