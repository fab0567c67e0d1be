"""What is known of users: the vocabularies of the training split, and raw features to their indices."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from modules.models.history import sorted_index
from modules.models.query_tower import Users

# Lower ends of MovieLens' age groups; group 0 is an age that is not known.
_AGE_GROUPS: Final = (1, 18, 25, 35, 45, 50, 56)


@dataclass(frozen=True)
class UserVocabularies:
    """The users of the training split; the entry `i` of each column has the index `i + 1`, 0 is not known.

    Attributes:
        user_ids: int64 `[users]`.
        genders: as the data spells them.
        occupations: as the data spells them.
    """

    user_ids: npt.NDArray[np.int64]
    genders: tuple[bytes, ...]
    occupations: tuple[bytes, ...]

    @property
    def feature_rows(self) -> tuple[int, int, int]:
        """Sizes of the index spaces of gender, age group and occupation, with the 0."""
        return len(self.genders) + 1, len(_AGE_GROUPS) + 1, len(self.occupations) + 1


class UserIndex(tf.Module):
    """Maps raw features of users to `Users`, as Transform does for training."""

    def __init__(self, vocabularies: UserVocabularies) -> None:
        super().__init__()
        order = np.argsort(vocabularies.user_ids)
        # Variables and not constants: millions of users would not fit into a graph.
        self._sorted_ids = tf.Variable(vocabularies.user_ids[order], trainable=False)
        self._index = tf.Variable(np.concatenate([[0], order + 1]), trainable=False)
        self._genders, self._occupations = vocabularies.genders, vocabularies.occupations

    def __call__(self, user_id: tf.Tensor, gender: tf.Tensor, age: tf.Tensor, occupation: tf.Tensor) -> Users:
        """Indices of ids int64, genders string, ages int64 and occupations string, each `[batch]`."""
        features = [_text_index(gender, self._genders), age_group(age), _text_index(occupation, self._occupations)]
        return Users(tf.gather(self._index, sorted_index(self._sorted_ids, user_id)), tf.stack(features, axis=1))


def age_group(age: tf.Tensor) -> tf.Tensor:
    """The number int64 of the age group of ages int64, of the same shape; 0 for ages below 1."""
    flat = tf.reshape(age, [-1])
    group = tf.searchsorted(tf.constant(_AGE_GROUPS, tf.int64), flat, side="right", out_type=tf.int64)
    return tf.reshape(group, tf.shape(age))


def _text_index(text: tf.Tensor, vocabulary: tuple[bytes, ...]) -> tf.Tensor:
    """Place in a short vocabulary, from 1; 0 for what it does not hold. `[batch]` to int64 `[batch]`."""
    found = tf.equal(text[:, tf.newaxis], tf.constant(vocabulary, tf.string, [len(vocabulary)]))
    return tf.reduce_sum(tf.cast(found, tf.int64) * tf.range(1, len(vocabulary) + 1, dtype=tf.int64), axis=1)
