import numpy as np
import pytest
import tensorflow as tf

from modules.models.users import UserIndex, UserVocabularies, age_group


@pytest.mark.parametrize(
    ("age", "group"),
    [(-3, 0), (0, 0), (1, 1), (17, 1), (18, 2), (24, 2), (25, 3), (44, 4), (45, 5), (49, 5), (50, 6), (56, 7), (99, 7)],
)
def test_ages_fall_into_movielens_groups(age: int, group: int) -> None:
    assert age_group(tf.constant([[age]], tf.int64)).numpy().tolist() == [[group]]


def test_everything_has_its_place_in_the_vocabulary_and_the_rest_is_0(users: UserVocabularies) -> None:
    ids, genders = [70, 5, 900, 12, 0, 6, 10**12], [b"F", b"M", b"", b"x", b"F", b"M", b""]
    occupations = [b"writer", b"lawyer", b"", b"artist", b"cook", b"", b"artist"]
    ages = tf.constant([30, 0] * 3 + [60], tf.int64)
    index, features = UserIndex(users)(tf.constant(ids, tf.int64), tf.constant(genders), ages, tf.constant(occupations))
    assert index.numpy().tolist() == [1, 2, 3, 4, 0, 0, 0]
    assert features.numpy().tolist() == [[1, 3, 1], [2, 0, 3], [0, 3, 0], [0, 0, 2], [1, 3, 0], [2, 0, 0], [0, 7, 2]]
    assert users.feature_rows == (3, 8, 4)


def test_without_any_vocabulary_nobody_is_known() -> None:
    nobody = UserIndex(UserVocabularies(np.array([-1]), (), ()))
    zero = tf.constant([0], tf.int64)
    index, features = nobody(zero + 5, tf.constant(["M"]), zero, tf.constant([""]))
    assert index.numpy().tolist() == [0]
    assert features.numpy().tolist() == [[0, 0, 0]]
