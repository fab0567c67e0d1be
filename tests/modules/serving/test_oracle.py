from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from modules.serving.oracle import Answers, Offline, compare

ORACLE = SimpleNamespace(movie_ids=np.array([10, 20, 30, 40]), titles=np.array(["a", "b", "c", "d"]))
OFFLINE = Offline(
    scores=np.array([[1.0, 4.0, 3.0, 2.0], [-np.inf, 1.0, -np.inf, -np.inf]]), source=np.array(["model", "popularity"])
)
RIGHT = Answers(
    movie_id=np.array([[20, 30], [20, 0]]),
    title=np.array([["b", "c"], ["b", ""]]),
    score=np.array([[4.0, 3.0], [1.0, -np.inf]], dtype=np.float32),
    source=np.array(["model", "popularity"]),
)


def judge(answers):
    return compare(answers, OFFLINE, ORACLE, tolerance=1e-3)


def test_the_right_answer_has_no_problems():
    found = judge(RIGHT)
    assert found.problems == ()
    assert (found.recall_at_10, found.recall_at_k, found.score_error) == (1.0, 1.0, 0.0)


def test_a_missed_movie_costs_recall_alone():
    missed = replace(
        RIGHT,
        movie_id=np.array([[20, 40], [20, 0]]),
        title=np.array([["b", "d"], ["b", ""]]),
        score=np.array([[4.0, 2.0], [1.0, -np.inf]], dtype=np.float32),
    )
    found = judge(missed)
    assert found.problems == ()
    assert found.recall_at_k == pytest.approx((0.5 + 1) / 2)


def test_ties_count_as_found():
    source = np.array(["model"])
    offline = Offline(np.array([[1.0, 1.0, 1.0, 0.0]]), source)
    tied = Answers(np.array([[30, 20]]), np.array([["c", "b"]]), np.array([[1.0, 1.0]], dtype=np.float32), source)
    assert compare(tied, offline, ORACLE, 1e-3).recall_at_k == 1.0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"movie_id": [[20, 0], [20, 0]], "score": [[4, -np.inf], [1, -np.inf]]}, "expected 2 movies in row 0, got 1"),
        ({"movie_id": [[20, 30], [0, 20]], "score": [[4, 3], [-np.inf, 1]]}, "only at the end of a row"),
        ({"score": [[4, 3], [1, 0]]}, "only at the end of a row"),
        ({"movie_id": [[30, 20], [20, 0]], "score": [[3, 4], [1, -np.inf]]}, "from best to worst"),
        ({"score": [[np.nan, 3], [1, -np.inf]]}, "from best to worst"),
        ({"movie_id": [[20, 31], [20, 0]]}, "movies of the catalogue"),
        ({"title": [["b", "d"], ["b", ""]]}, "own title"),
        ({"title": [["b", "c"], ["b", "x"]]}, "none in a gap"),
        ({"movie_id": [[20, 20], [20, 0]], "score": [[4, 4], [1, -np.inf]]}, "at most once"),
        ({"movie_id": [[20, 30], [10, 0]]}, "excluded movies"),
        ({"score": [[4.1, 3], [1, -np.inf]]}, "within 0.001, got a difference of 0.025"),
        ({"score": [[np.nan, np.nan], [1, -np.inf]]}, "got a difference of inf"),
        ({"source": ["model", "model"]}, "expected row 1 to come from popularity, got model"),
    ],
)
def test_every_kind_of_wrong_answer_is_named(change, problem):
    dtypes = {"movie_id": np.int64, "title": str, "score": np.float32, "source": str}
    answers = replace(RIGHT, **{name: np.array(value, dtype=dtypes[name]) for name, value in change.items()})
    assert any(problem in text for text in judge(answers).problems)
