"""What Transform runs: raw examples to the id space, by functions that serving shares."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules.catalogue import FILE_NAME
from modules.errors import DataError
from modules.features import (
    CONTEXT_MOVIE_ID,
    CONTEXT_MOVIE_INDEX,
    CONTEXT_MOVIE_RATING,
    LABEL_MOVIE_ID,
    LABEL_MOVIE_INDEX,
    PAD_MOVIE_ID,
    PAD_RATING,
    UNKNOWN_AGE,
    UNKNOWN_TEXT,
    UNKNOWN_USER_ID,
    USER_AGE,
    USER_FEATURE_INDEX,
    USER_GENDER,
    USER_ID,
    USER_INDEX,
    USER_OCCUPATION,
)
from modules.models.history import MovieIndex, latest_events
from modules.models.users import UserVocabularies, age_group


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Maps movies, and users if the model reads them, to the spaces of indices that the model embeds.

    The catalogue alone defines the movies' id space: without users no analyzer is used, and Transform needs no pass
    over the data. Genres and years are not transformed: the model looks them up from the catalogue by index, in
    training as in serving. The users' vocabularies are those of the training split, and assets of the graph.

    Args:
        inputs: raw features of a batch, dense or sparse.
        custom_config: `catalogue_path`, the file that defines the id space, `max_context_length`, and `reads_user`.

    Returns:
        `context_movie_index` int64 and `context_movie_rating` float32, both `[batch, max_context_length]` with the
        padding last, and `label_movie_index` int64 `[batch, 1]`, 0 for a movie that is not in the catalogue; with
        `reads_user`, `user_index` int64 `[batch, 1]` and `user_feature_index` int64 `[batch, 3]` (gender, age group,
        occupation), 0 for what is not known.
    """
    catalogue_path = str(custom_config["catalogue_path"])
    movie_index = tft.make_and_track_object(lambda: MovieIndex(catalogue_path), name="movie_index")
    movie_id = _dense(inputs[CONTEXT_MOVIE_ID], PAD_MOVIE_ID)
    rating = _dense(inputs[CONTEXT_MOVIE_RATING], PAD_RATING)
    context, rating = latest_events(movie_index(movie_id), rating, int(custom_config["max_context_length"]))
    label = movie_index(_dense(inputs[LABEL_MOVIE_ID], PAD_MOVIE_ID))
    outputs = {
        CONTEXT_MOVIE_INDEX: context,
        CONTEXT_MOVIE_RATING: rating,
        LABEL_MOVIE_INDEX: tf.ensure_shape(label, [None, 1]),
    }
    return {**outputs, **_users(inputs)} if custom_config.get("reads_user") else outputs


def _users(inputs: dict[str, Any]) -> dict[str, tf.Tensor]:
    user_id = _dense(inputs[USER_ID], UNKNOWN_USER_ID)
    # Transform leaves the empty text out of a vocabulary, so that whoever is not known has no place in it.
    user_text = tf.where(user_id == UNKNOWN_USER_ID, UNKNOWN_TEXT, tf.strings.as_string(user_id))
    features = [
        _learned_index(_dense(inputs[USER_GENDER], UNKNOWN_TEXT), USER_GENDER),
        age_group(_dense(inputs[USER_AGE], UNKNOWN_AGE)),
        _learned_index(_dense(inputs[USER_OCCUPATION], UNKNOWN_TEXT), USER_OCCUPATION),
    ]
    return {
        USER_INDEX: tf.ensure_shape(_learned_index(user_text, USER_ID), [None, 1]),
        USER_FEATURE_INDEX: tf.ensure_shape(tf.concat(features, axis=1), [None, 3]),
    }


def _learned_index(text: tf.Tensor, vocabulary: str) -> tf.Tensor:
    """Place in the vocabulary of the training split, from 1; 0 for what is not in it."""
    return 1 + tft.compute_and_apply_vocabulary(text, default_value=-1, vocab_filename=vocabulary)


def catalogue_file(transform: tft.TFTransformOutput) -> Path:
    """The catalogue among a transform graph's assets; TensorFlow keeps an asset's file name.

    Raises:
        DataError: the graph has none, so it was not made by `preprocessing_fn`.
    """
    path = Path(transform.transform_savedmodel_dir, tf.saved_model.ASSETS_DIRECTORY, FILE_NAME)
    if not path.is_file():
        raise DataError(f"expected the catalogue at {path}: the transform graph must be made by preprocessing_fn")
    return path


def reads_user(transform: tft.TFTransformOutput) -> bool:
    """Whether a transform graph maps users, too."""
    return USER_INDEX in transform.transformed_feature_spec()


def user_vocabularies(transform: tft.TFTransformOutput) -> UserVocabularies | None:
    """The users of the training split, None where the transform graph maps movies alone."""
    if not reads_user(transform):
        return None
    return UserVocabularies(
        user_ids=np.array([int(text) for text in _vocabulary(transform, USER_ID)], np.int64),
        genders=_vocabulary(transform, USER_GENDER),
        occupations=_vocabulary(transform, USER_OCCUPATION),
    )


def _vocabulary(transform: tft.TFTransformOutput, name: str) -> tuple[bytes, ...]:
    return tuple(transform.vocabulary_by_name(name))


def _dense(values: Any, padding: float | str) -> tf.Tensor:
    """Schemas with a fixed shape give dense tensors, those without give sparse ones."""
    return tf.sparse.to_dense(values, default_value=padding) if isinstance(values, tf.SparseTensor) else values
