from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from modules.errors import ConfigError
from movielens_kubeflow.client.package import Package, read_package, without_caching
from pipeline.config import load_config

pytestmark = pytest.mark.kubeflow

EVERY_TYPE = {
    name: {"parameterType": kind}
    for name, kind in {
        "text": "STRING",
        "count": "NUMBER_INTEGER",
        "share": "NUMBER_DOUBLE",
        "flag": "BOOLEAN",
        "list": "LIST",
        "table": "STRUCT",
    }.items()
}


def test_what_is_read(make_package: Callable[..., Package]) -> None:
    package = make_package()
    assert package.name == "demo"
    assert package.parameters == {"span": "NUMBER_INTEGER", "preset": "STRING"}
    assert package.required == frozenset()
    assert package.pipeline_root == "minio://bucket/root"


def test_the_version_goes_by_content(make_package: Callable[..., Package]) -> None:
    assert make_package().version == make_package().version
    assert make_package().version != make_package(image="image:2").version
    assert make_package().version.startswith("sha-")


def test_values_have_the_parameters_types(make_package: Callable[..., Package]) -> None:
    package = make_package(parameters=EVERY_TYPE)
    words = ["text=a=b", "count=3", "share=0.5", "flag=True", "list=[1]", 'table={"a": 1}']
    assert package.values(words) == {
        "text": "a=b",
        "count": 3,
        "share": 0.5,
        "flag": True,
        "list": [1],
        "table": {"a": 1},
    }
    assert package.required == frozenset(EVERY_TYPE)


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("span", "expected NAME=VALUE with one of the parameters"),
        ("spin=3", "count, flag, list, share, table, text"),
        ("count=3.5", "type NUMBER_INTEGER, got '3.5'"),
        ("share=much", "type NUMBER_DOUBLE"),
        ("flag=yes", "type BOOLEAN"),
        ("list={}", "type LIST"),
        ("table=[", "type STRUCT"),
    ],
)
def test_refused_values(make_package: Callable[..., Package], word: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        make_package(parameters=EVERY_TYPE).values([word])


def test_settings_of_this_pipeline_are_checked_at_once(tmp_path: Path) -> None:
    config = load_config("demo").model_dump_json()
    path = tmp_path / "pipeline.yaml"
    executor = {"container": {"args": ["--node", "Trainer", "--config", config]}}
    names = ("preset", "settings", "thresholds")
    document = {
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "demo"},
        "root": {"inputDefinitions": {"parameters": {name: {"parameterType": "STRING"} for name in names}}},
        "deploymentSpec": {"executors": {"Trainer_executor": executor}},
    }
    path.write_text(yaml.safe_dump(document))
    package = read_package(path)
    assert package.values(["settings=training.epochs=2"]) == {"settings": "training.epochs=2"}
    with pytest.raises(ConfigError, match=r"training.epoch\b"):
        package.values(["settings=training.epoch=2"])
    with pytest.raises(ConfigError, match="expected a preset"):
        package.values(["preset=none"])


def test_without_caching_is_another_version_of_the_same_pipeline(make_package: Callable[..., Package]) -> None:
    package = make_package()
    uncached = without_caching(package)
    assert uncached.version != package.version
    before, after = (list(yaml.safe_load_all(one.content)) for one in (package, uncached))
    assert after[0]["root"]["dag"]["tasks"]["Trainer"].pop("cachingOptions") == {}
    before[0]["root"]["dag"]["tasks"]["Trainer"].pop("cachingOptions")
    assert before == after
    assert without_caching(uncached).version == uncached.version


@pytest.mark.parametrize(
    "text", ["", "a: [", "[]", "schemaVersion: 2.0.0", "schemaVersion: 2.1.0", "apiVersion: argoproj.io/v1alpha1"]
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="expected a compiled pipeline"):
        read_package(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="movielens kubeflow compile --output"):
        read_package(tmp_path / "none.yaml")
