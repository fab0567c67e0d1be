"""What a loss sees of the candidates."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from modules.models.item_tower import ItemTower

# A bias that leaves nothing of a probability, and that float32 still adds to a score.
NEVER = -1e9


class CandidateView:
    """The candidates' vectors of one step, in the id space, with the bias as the last dimension if there is one.

    Movies without a label, and the padding 0, are no negatives: they would learn nothing but to be last. Their bias is
    `NEVER` here, so that their scores leave nothing of a probability; without biases they are scored like all others.
    """

    def __init__(self, tower: ItemTower, bias: tf.Variable | None, labelled: npt.NDArray[np.bool_]) -> None:
        """Takes the biases `[movies + 1]` and which movies are labels in training, bool `[movies + 1]`."""
        self._tower = tower
        self._bias = None if bias is None else tf.where(labelled, bias, NEVER)
        self._vectors: tf.Tensor | None = None

    def table(self) -> tf.Tensor:
        """All vectors, float32 `[movies + 1, dim]`."""
        return _with_bias(self.vectors(), self._bias)

    def rows(self, index: tf.Tensor) -> tf.Tensor:
        """The vectors of indices `[m]` alone, float32 `[m, dim]`."""
        vectors = tf.gather(self.vectors(), index) if self._tower.dense else self._tower(index)
        return _with_bias(vectors, None if self._bias is None else tf.gather(self._bias, index))

    def vectors(self) -> tf.Tensor:
        """All vectors without their biases; made once a step, whoever asks for them."""
        if self._vectors is None:
            self._vectors = self._tower.table()
        return self._vectors


def _with_bias(vectors: tf.Tensor, bias: tf.Tensor | None) -> tf.Tensor:
    return vectors if bias is None else tf.concat([vectors, bias[:, tf.newaxis]], axis=1)
