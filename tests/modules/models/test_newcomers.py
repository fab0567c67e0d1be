import numpy as np
import pytest
import tensorflow as tf

from modules.catalogue import Catalogue
from modules.models.item_tower import ItemTower
from modules.models.movie_features import MovieFeatures
from modules.models.newcomers import Newcomers

# Buckets 6 (1920), 8 (1928) and 12 (1944) are used.
ROWS = [(1, "a", ("Comedy", "War"), 1923), (2, "b", ("Drama",), 1930), (3, "c", ("War",), 1944)]


def tower(catalogue: Catalogue, side_features: bool = True) -> ItemTower:
    features = MovieFeatures.of(catalogue)
    return ItemTower(features, 4, side_features, np.ones(features.rows, np.int64))


def embed(newcomers: Newcomers, year: int, *genres: str) -> np.ndarray:
    return newcomers(tf.constant([year], tf.int64), tf.constant([[*genres, ""]]))[0].numpy()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.from_rows(ROWS)


@pytest.mark.parametrize(
    ("year", "bucket"),
    [(1923, 6), (1926, 6), (1928, 8), (1940, 12), (1936, 8), (1880, 6), (1900, 6), (1944, 12), (1950, 12), (2050, 12)],
)
def test_a_year_without_movies_is_the_nearest_one_with_some(catalogue: Catalogue, year: int, bucket: int) -> None:
    trained = tower(catalogue)
    expected = trained.year_embedding.numpy()[bucket]
    np.testing.assert_allclose(embed(Newcomers(trained, catalogue, None), year), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("genres", "rows"),
    [(["Drama"], [1]), (["War", "Comedy"], [0, 2]), (["Western", "War"], [2]), (["Western"], []), ([], [])],
)
def test_genres_share_a_weight_and_unknown_ones_are_ignored(
    catalogue: Catalogue, genres: list[str], rows: list[int]
) -> None:
    trained = tower(catalogue)
    learned = trained.genre_embedding.numpy()
    expected = learned[rows].mean(axis=0) if rows else np.zeros(4)
    np.testing.assert_allclose(embed(Newcomers(trained, catalogue, None), 0, *genres), expected, rtol=1e-6)


def test_an_unknown_year_counts_only_if_it_was_learned(catalogue: Catalogue) -> None:
    some = Catalogue.from_rows([*ROWS, (4, "d", (), 0)])
    trained = tower(some)
    np.testing.assert_array_equal(embed(Newcomers(trained, some, None), 0), trained.year_embedding.numpy()[0])
    assert not embed(Newcomers(tower(catalogue), catalogue, None), 0).any()


def test_every_newcomer_has_the_bias_once(catalogue: Catalogue) -> None:
    newcomers = Newcomers(tower(catalogue), catalogue, -1.5)
    for year, genres in ((0, []), (1923, ["War"]), (2050, ["War", "Drama"])):
        assert embed(newcomers, year, *genres)[4:].tolist() == [-1.5]


def test_a_movie_of_the_catalogue_without_an_id_is_its_side_features(catalogue: Catalogue) -> None:
    trained = tower(catalogue)
    trained.id_embedding.assign(tf.zeros_like(trained.id_embedding))
    newcomers = Newcomers(trained, catalogue, None)
    for row, (_, _, genres, year) in enumerate(ROWS, start=1):
        np.testing.assert_allclose(embed(newcomers, year, *genres), trained(tf.constant(row)), rtol=1e-5)


def test_without_side_features_nothing_is_known(catalogue: Catalogue) -> None:
    newcomers = Newcomers(tower(catalogue, side_features=False), catalogue, 0.5)
    assert embed(newcomers, 1923, "War").tolist() == [0, 0, 0, 0, 0.5]
    bare = Catalogue.from_rows([(1, "a", (), 0)])
    assert embed(Newcomers(tower(bare), bare, None), 1923, "War").shape == (4,)
