"""Queries and candidates of no model."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

MOVIES, DIM = 9, 4


class Table:
    """What a loss sees of a model's candidates: here rows of one tensor."""

    def __init__(self, vectors: tf.Tensor) -> None:
        self.vectors = vectors

    def table(self) -> tf.Tensor:
        return self.vectors

    def rows(self, index: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.vectors, index)


LossOf = Callable[[tf.Tensor, Table], tf.Tensor]
Gradients = Callable[[LossOf], Callable[[tf.Tensor, tf.Tensor], tuple[float, np.ndarray, np.ndarray]]]


@pytest.fixture
def labels() -> tf.Tensor:
    return tf.constant([1, 5, 1, 3, 8, 1, 5], tf.int32)


@pytest.fixture
def query(labels: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_normal([len(labels), DIM], seed=[1, 1])


@pytest.fixture
def vectors() -> tf.Tensor:
    return tf.random.stateless_normal([MOVIES + 1, DIM], seed=[2, 2])


@pytest.fixture(scope="session")
def counts() -> np.ndarray:
    """Popular, rare, and two movies without any label."""
    return np.array([0, 60, 7, 30, 1, 10, 0, 2, 5, 0])


@pytest.fixture(scope="session")
def gradients() -> Gradients:
    """Makes a loss's values and gradients by query and by table, in a graph as in training, from both."""

    def of(loss_of: LossOf) -> Callable[[tf.Tensor, tf.Tensor], tuple[float, np.ndarray, np.ndarray]]:
        @tf.function(autograph=False)
        def run(query: tf.Tensor, vectors: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            with tf.GradientTape() as tape:
                tape.watch([query, vectors])
                loss = 3.0 * loss_of(query, Table(vectors))
            return loss, [tf.convert_to_tensor(each) for each in tape.gradient(loss, [query, vectors])]

        def values(query: tf.Tensor, vectors: tf.Tensor) -> tuple[float, np.ndarray, np.ndarray]:
            loss, (by_query, by_vectors) = run(query, vectors)
            return float(loss), by_query.numpy(), by_vectors.numpy()

        return values

    return of
