"""A small catalogue, and models over it."""

from collections.abc import Callable

import numpy as np
import pytest

from modules.catalogue import Catalogue
from modules.inputs import Examples
from modules.models.movie_features import MovieFeatures
from modules.models.options import ModelOptions, TrainingOptions
from modules.models.retrieval import RetrievalModel
from modules.models.users import UserVocabularies

LENGTH = 3


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Twelve movies: ids are no indices, one has neither genres nor year."""
    rows = [
        (10 * number, f"Movie {number}", ("Comedy",) if number % 2 else ("Drama", "War"), 1950 + 4 * number)
        for number in range(1, 12)
    ]
    return Catalogue.from_rows([*rows, (999, "Unknown", (), 0)])


@pytest.fixture(scope="session")
def features(catalogue: Catalogue) -> MovieFeatures:
    return MovieFeatures.of(catalogue)


@pytest.fixture(scope="session")
def options() -> ModelOptions:
    return ModelOptions(embedding_dim=8, gru_units=6, max_context_length=LENGTH, dropout=0.0)


@pytest.fixture(scope="session")
def examples() -> Examples:
    """Every movie but the last follows the one before it, whatever stood earlier; the last is never a label."""
    rng = np.random.default_rng(3)
    last = rng.integers(1, 11, 256)
    context = rng.integers(1, 12, (256, LENGTH))
    context[:, -1] = last
    context[::5, 0] = 0
    rating = np.where(context > 0, rng.integers(1, 11, context.shape) / 2, 0)
    return Examples(context.astype(np.int32), rating.astype(np.float32), (last + 1).astype(np.int32))


@pytest.fixture(scope="session")
def label_counts(examples: Examples, features: MovieFeatures) -> np.ndarray:
    return np.bincount(examples.label, minlength=features.rows)


@pytest.fixture(scope="session")
def users() -> UserVocabularies:
    """Four users, neither sorted nor 1, 2, 3."""
    return UserVocabularies(np.array([70, 5, 900, 12]), (b"F", b"M"), (b"writer", b"artist", b"lawyer"))


@pytest.fixture(scope="session")
def make_model(
    features: MovieFeatures, options: ModelOptions, label_counts: np.ndarray, users: UserVocabularies
) -> Callable[..., RetrievalModel]:
    """Makes a model; `model` and `training` name the options that differ from the small defaults."""

    def make(model: dict | None = None, training: dict | None = None) -> RetrievalModel:
        changed = ModelOptions.model_validate({**options.model_dump(), **(model or {})})
        return RetrievalModel(features, changed, TrainingOptions(**(training or {})), label_counts, users)

    return make
