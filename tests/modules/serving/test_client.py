import pytest

from modules.errors import ConfigError
from modules.serving.client import load_version, recommend


def test_recommendations_have_titles_and_leave_the_history_out(indexed):
    model = load_version(indexed / "scann")
    answer = recommend(model, [10, 13], 5)
    movies = answer.movies
    assert answer.source == "model"
    assert len(movies) == 5
    assert not {movie.movie_id for movie in movies} & {10, 13}
    assert all(movie.title == f"Film nº {(movie.movie_id - 10) // 3}" for movie in movies)
    assert [movie.score for movie in movies] == sorted((movie.score for movie in movies), reverse=True)
    assert recommend(model, [], 20).source == "popularity"
    with pytest.raises(ConfigError, match=r"at most 20 movies, .* got 21; .* larger index\.k"):
        recommend(model, [10], 21)


def test_a_folder_without_a_model_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"expected a pushed version in .*found no saved_model.pb"):
        load_version(tmp_path)
