"""Draws negatives: movies by a given probability."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

# Any: evaluations draw the same negatives every time, so that their losses compare.
_EVALUATION_SEED = (20, 26)


class Sampler:
    """Draws movies with replacement, by inversion of the cumulative probability; a weight of 0 is never drawn.

    Training draws from the global generator, which `tf.random.set_seed` seeds; evaluation always draws the same.
    """

    def __init__(self, weights: npt.NDArray[np.float64]) -> None:
        """Takes weights `[movies + 1]` of the id space, from 0 on, in any unit."""
        probability = weights / weights.sum()
        self.log_probability = np.log(np.maximum(probability, np.finfo(np.float64).tiny)).astype(np.float32)
        # In float64: in float32 the steps of a large catalogue's rare movies would vanish beside a sum near 1.
        self._cumulative = np.minimum(np.cumsum(probability), 1)
        self._cumulative[np.flatnonzero(probability)[-1] :] = 1

    @classmethod
    def mixed(cls, label_counts: npt.NDArray[np.int64], by_popularity: float) -> "Sampler":
        """Draws labelled movies: each draw is by popularity with probability `by_popularity`, else uniform.

        Args:
            label_counts: int64 `[movies + 1]`, how often each movie is a label in training.
            by_popularity: from 0 to 1.
        """
        labelled = label_counts > 0
        return cls(by_popularity * label_counts / label_counts.sum() + (1 - by_popularity) * labelled / labelled.sum())

    def draw(self, count: int, training: bool) -> tf.Tensor:
        """Indices int32 `[count]` in the id space."""
        if training:
            point = tf.random.uniform([count], dtype=tf.float64)
        else:
            point = tf.random.stateless_uniform([count], _EVALUATION_SEED, dtype=tf.float64)
        return tf.searchsorted(self._cumulative, point, side="right")
