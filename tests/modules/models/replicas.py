"""Run by test_strategy in a process of its own: the same trainings on one device and on two, as JSON."""

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from modules.catalogue import Catalogue
from modules.errors import ConfigError
from modules.inputs import Examples, TrainingData
from modules.models.export import export
from modules.models.movie_features import MovieFeatures
from modules.models.options import ModelOptions, TrainingOptions
from modules.models.retrieval import RetrievalModel
from modules.models.strategy import strategy_scope
from modules.models.targets import count_targets
from modules.models.training import fit

MOVIES, LENGTH = 20, 4
CATALOGUE = Catalogue.from_rows([(10 * n, f"Movie {n}", ("Drama",), 1980 + n) for n in range(1, MOVIES + 1)])
MODEL = ModelOptions(embedding_dim=8, gru_units=8, max_context_length=LENGTH, dropout=0.0)


def make_data(every_position: bool) -> TrainingData:
    """Windows of different lengths, so that replicas have different numbers of targets."""
    rng = np.random.default_rng(1)
    context = rng.integers(1, MOVIES + 1, (101 + 33, LENGTH))
    context[np.arange(LENGTH) >= rng.integers(1, LENGTH + 1, len(context))[:, np.newaxis]] = 0
    label = rng.integers(1, MOVIES + 1, len(context)).astype(np.int32)
    both = Examples(context.astype(np.int32), np.where(context > 0, 3.5, 0).astype(np.float32), label)
    train, validation = both.where(np.arange(134) < 101), both.where(np.arange(134) >= 101)
    counts = count_targets(train.context, train.label, MOVIES + 1, every_position)
    return TrainingData(SimpleNamespace(), train, len(train), validation, counts, 0)


def train(strategy_name: str, **options: Any) -> tuple[dict[str, Any], RetrievalModel, TrainingData]:
    tf.keras.utils.set_random_seed(1)
    training = TrainingOptions(
        strategy=strategy_name, batch_size=32, epochs=2, hidden_rating_share=0.0, final_learning_rate=1.0, **options
    )
    data = make_data(training.every_position)
    with strategy_scope(training) as strategy:
        model = RetrievalModel(MovieFeatures.of(CATALOGUE), MODEL, training, data.label_counts)
        before = flat(model)
        report = fit(model, data, training, Path(tempfile.mkdtemp()))
    found = {
        "replicas": strategy.num_replicas_in_sync,
        "weights": flat(model).tolist(),
        "moved": float(np.abs(flat(model) - before).mean()),
        "losses": [loss for epoch in report.epochs for loss in epoch.values()],
    }
    return found, model, data


def flat(model: RetrievalModel) -> np.ndarray:
    return np.concatenate([weight.numpy().ravel() for weight in model.trainable_weights])


def exported(model: RetrievalModel, data: TrainingData) -> list[float]:
    """The query vectors of the SavedModel for the validation examples."""
    with tempfile.TemporaryDirectory() as folder:
        CATALOGUE.write(Path(folder) / "catalogue.tsv")
        export(model, CATALOGUE, Path(folder) / "catalogue.tsv", data.label_counts[1:], Path(folder) / "model")
        loaded = tf.saved_model.load(str(Path(folder) / "model"))
        query = loaded.query(tf.constant(10 * data.validation.context, tf.int64), tf.constant(data.validation.rating))
    return query.numpy().ravel().tolist()


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    found: dict[str, Any] = {}
    cases = {
        "labels": {"learning_rate": 0.02},
        "every position": {"learning_rate": 0.02, "every_position": True},
    }
    for case, options in cases.items():
        found[case] = {}
        for name in ("one-device", "mirrored"):
            found[case][name], model, data = train(name, **options)
    context = data.validation.context
    query = model.query(context, data.validation.rating, model.context_tower(context))
    found["trained"] = query.numpy().ravel().tolist()
    found["exported"] = exported(model, data)
    try:
        fit(model, data, TrainingOptions(strategy="mirrored", batch_size=33), Path(tempfile.mkdtemp()))
    except ConfigError as error:
        found["odd batch"] = str(error)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
