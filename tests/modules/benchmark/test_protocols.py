import dataclasses

import pytest

from modules.benchmark.protocols import PROTOCOLS, protocol_named
from modules.errors import ConfigError
from modules.evaluation.metrics import METRIC_NAMES
from pipeline.config import load_config


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_model_is_a_preset_of_the_protocols_split_that_can_be_measured(name: str) -> None:
    protocol = protocol_named(name)
    assert protocol.default in protocol.presets
    assert set(protocol.headline) <= set(METRIC_NAMES)
    for preset in protocol.presets.values():
        config = load_config(preset)
        assert config.examples.split == protocol.split
        assert config.examples.include_history, "confidence intervals need user ids"


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_models_of_a_protocol_evaluate_the_same_labels(name: str) -> None:
    labels = {
        (
            config.examples.train_data_fraction,
            config.examples.min_rating,
            config.examples.min_movie_ratings,
            config.examples.min_timeline_length,
            config.examples.shuffle_seed,
            config.baselines,
        )
        for config in map(load_config, protocol_named(name).presets.values())
    }
    assert len(labels) == 1


def test_no_choice_is_every_model_and_a_choice_keeps_its_order() -> None:
    protocol = protocol_named("reference")
    assert list(protocol.chosen([])) == list(protocol.presets)
    assert protocol.chosen(["seed-sequential", "gru", "gru"]) == {"seed-sequential": "seed-sequential", "gru": "ml-1m"}


def test_unknown_names_are_errors() -> None:
    with pytest.raises(ConfigError, match=r"expected --protocol .*leave-one-out.*got 'nonesuch'"):
        protocol_named("nonesuch")
    with pytest.raises(ConfigError, match=r"model of the temporal protocol \(gru, .*got 'bert'"):
        protocol_named("temporal").chosen(["gru", "bert"])


def test_protocols_can_not_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROTOCOLS["basic"].data = "ml-1m"  # type: ignore[misc]
    with pytest.raises(TypeError):
        PROTOCOLS["basic"].presets["gru"] = "ml-1m"  # type: ignore[index]
