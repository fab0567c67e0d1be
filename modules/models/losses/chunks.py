"""Losses of rows against candidates without the whole matrix of their scores."""

from collections.abc import Callable

import tensorflow as tf

# 16 MiB of scores fit into a large cache, and thousands of rows a chunk keep the matrix products busy: one chunk of
# everything is slower from there on, and smaller ones are, too.
_SCORES = 1 << 22

# Of one chunk: the sum of its rows' losses, and that sum's gradients by each of the rows' inputs and by the candidates.
Part = tuple[tf.Tensor, tuple[tf.Tensor, ...], tf.Tensor]


def mean_in_chunks(
    part: Callable[..., Part], rows: tuple[tf.Tensor, ...], candidates: tf.Tensor, constants: tuple[tf.Tensor, ...]
) -> tf.Tensor:
    """The mean loss of all rows, 0 without rows; memory grows with rows + candidates, never with their product.

    A chunk's gradients are made with its loss, while its scores still are in the cache: the loss is a scalar, so that
    what comes down the tape only scales them.

    Args:
        part: maps a chunk of `rows`, `candidates` and a chunk of `constants` to its `Part`.
        rows: what is differentiated, a row each: float32 `[n, dim]` or `[n]`.
        candidates: float32 `[m, dim]`, differentiated.
        constants: what is not, of any type: `[n]`.
    """

    @tf.custom_gradient
    def mean(candidates: tf.Tensor, *rows: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        count = tf.shape(rows[0])[0]
        size = tf.maximum(_SCORES // tf.maximum(tf.shape(candidates)[0], 1), 1)

        def step(
            start: tf.Tensor, loss: tf.Tensor, by_candidates: tf.Tensor, by_rows: list[tf.TensorArray]
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[tf.TensorArray]]:
            end = tf.minimum(start + size, count)
            of_part, part_by_rows, part_by_candidates = part(
                *(row[start:end] for row in rows), candidates, *(constant[start:end] for constant in constants)
            )
            written = [all_.write(all_.size(), one) for all_, one in zip(by_rows, part_by_rows, strict=True)]
            return end, loss + of_part, by_candidates + part_by_candidates, written

        _, loss, by_candidates, by_rows = tf.while_loop(
            lambda start, *_: start < count,
            step,
            (tf.constant(0), tf.constant(0.0), tf.zeros_like(candidates), [_growing(row) for row in rows]),
            parallel_iterations=1,
        )
        gradients = [by_candidates, *(chunks.concat() for chunks in by_rows)]
        # A replica that got no rows of the last batch must not turn the mean into no number.
        share = 1 / tf.cast(tf.maximum(count, 1), tf.float32)
        return loss * share, lambda upstream: [gradient * (upstream * share) for gradient in gradients]

    return mean(candidates, *rows)


def _growing(row: tf.Tensor) -> tf.TensorArray:
    return tf.TensorArray(
        tf.float32, 0, dynamic_size=True, infer_shape=False, element_shape=tf.TensorShape([None, *row.shape[1:]])
    )
