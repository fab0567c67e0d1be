"""Measurements made of ranks, as a model's evaluation gives them."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from modules.benchmark.measurement import Measurement, Measuring
from modules.evaluation.baselines import ExampleBatch
from modules.evaluation.recommendation_lists import ListStatistics
from modules.evaluation.score_ranks import Ranks

MeasurementMaker = Callable[..., Measurement]
MOVIES = 120


@pytest.fixture(scope="session")
def measurement_of() -> MeasurementMaker:
    """Makes the measurement of labels with given ranks; every user has two of them."""

    def make(
        ranks: Sequence[int],
        labels: Sequence[int] | None = None,
        cpu_seconds: float = 1.0,
        parameters: int | None = None,
    ) -> Measurement:
        rank = np.array(ranks)
        label = np.ones_like(rank) if labels is None else np.array(labels)
        user = np.arange(len(rank)) // 2 + 1
        measuring = Measuring(ListStatistics(np.linspace(0, 1, MOVIES)))
        batch = ExampleBatch(label[:, None], label, label[:, None], user)
        scores = np.tile(np.arange(MOVIES, dtype=np.float32), (len(rank), 1))
        measuring.add(batch, Ranks(rank, np.maximum(rank - 1, 1)), scores)
        return measuring.finish(cpu_seconds, parameters)

    return make
