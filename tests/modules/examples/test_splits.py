import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.catalogue import Catalogue
from modules.errors import DataError
from modules.examples.splits import (
    LeaveOneOut,
    RandomSplit,
    TemporalSplit,
    last_of_windows,
    quantile_time,
    shuffled_out,
)
from modules.examples.timelines import build_timelines

CATALOGUE = Catalogue.from_rows([(i, "t", (), 0) for i in range(1, 30)])


def timelines_of(oracle, times_by_user):
    events = [
        oracle.event(user, i + 1, 3.0, time) for user, times in enumerate(times_by_user) for i, time in enumerate(times)
    ]
    return build_timelines(oracle(CATALOGUE).block(events), 2)


@given(st.integers(0, 400), st.floats(0.01, 0.99), st.integers(0, 2**31))
def test_random_split_is_the_one_that_shuffling_the_examples_gives(examples, fraction, seed):
    shuffled = list(range(examples))
    random.seed(seed)
    random.shuffle(shuffled)
    evaluated = set(shuffled[round(examples * fraction) :])
    assert shuffled_out(examples, fraction, seed).tolist() == [i in evaluated for i in range(examples)]


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_random_split_travels_as_bits(oracle, evaluated):
    timelines = timelines_of(oracle, [range(len(evaluated) + 1)])
    masks = RandomSplit.pack(np.array(evaluated)).masks(timelines)
    assert masks["eval"].tolist() == evaluated
    assert masks["train"].tolist() == [not bit for bit in evaluated]


def test_temporal_split_evaluates_labels_of_the_boundary_itself(oracle):
    timelines = timelines_of(oracle, [[1, 4, 5, 5, 9], [5, 5], [6, 7]])
    masks = TemporalSplit(5).masks(timelines)
    assert masks["eval"].tolist() == [False, True, True, True, True, True]
    assert masks["train"].tolist() == [True, False, False, False, False, False]


@given(st.lists(st.integers(2, 7), max_size=6))
def test_leave_one_out_evaluates_the_last_and_validates_on_the_one_before(oracle, lengths):
    masks = LeaveOneOut().masks(timelines_of(oracle, [range(length) for length in lengths]))
    expected = {"train": [], "eval": [], "validation": []}
    for length in lengths:
        for position in range(1, length):  # The first event has no context.
            name = {length - 1: "eval", length - 2: "validation"}.get(position, "train")
            for split, mask in expected.items():
                mask.append(split == name)
    assert {name: mask.tolist() for name, mask in masks.items()} == expected


@given(st.lists(st.tuples(st.integers(2, 12), st.integers(0, 11)), max_size=6), st.integers(1, 5))
def test_windows_end_at_every_so_many_labels_counted_back_from_the_last(oracle, users, length):
    timelines = timelines_of(oracle, [range(events) for events, _ in users])
    train, expected = [], []
    for events, trained in users:
        trained = min(trained, events - 1)
        train += [True] * trained + [False] * (events - 1 - trained)
        ends = set(range(trained - 1, -1, -length))
        expected += [label in ends for label in range(events - 1)]
    found = last_of_windows(timelines, np.array(train, np.bool_), length)
    assert found.tolist() == expected


@given(st.lists(st.integers(0, 20), min_size=2), st.floats(0.05, 0.95))
def test_quantile_leaves_at_most_the_fraction_for_training(times, fraction):
    try:
        time = quantile_time(np.array(times), fraction)
    except DataError:
        ranked = sorted(times)
        position = round(len(times) * fraction)
        assert position == len(times) or ranked[position] == ranked[0]
        return
    assert time in times
    earlier = sum(t < time for t in times)
    assert 0 < earlier <= round(len(times) * fraction)
    # The next later boundary would train on more than the fraction.
    assert sum(t <= time for t in times) > round(len(times) * fraction)


def test_quantile_needs_two_points_in_time():
    with pytest.raises(DataError, match="first second of all labels"):
        quantile_time(np.array([7, 7, 7]), 0.5)
    with pytest.raises(DataError, match="0 examples are too few"):
        quantile_time(np.zeros(0, np.int64), 0.5)
    with pytest.raises(DataError, match="2 examples are too few"):
        quantile_time(np.array([1, 2]), 0.99)
