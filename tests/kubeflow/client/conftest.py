from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from kfp_fake.server import FakeServer
from kfp_fake.web import LATE, serve
from movielens_kubeflow.client import transport
from movielens_kubeflow.client.connection import connect
from movielens_kubeflow.client.package import Package, read_package


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A server; the test fails if it was asked anything that a real one refuses."""
    monkeypatch.setattr(transport, "PATIENCE", 0.0)
    monkeypatch.setattr(transport, "TIMEOUT", (2.0, 20.0))
    state = FakeServer()
    state.when_late = lambda: monkeypatch.setattr(transport, "TIMEOUT", (2.0, LATE * 2 / 3))
    with serve(state):
        yield state
    assert state.violations == []


@pytest.fixture
def client(server: FakeServer) -> Any:
    return connect(server.address)


def pipeline(parameters: dict[str, Any] | None = None, image: str = "image:1") -> dict[str, Any]:
    return {
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "demo"},
        "defaultPipelineRoot": "minio://bucket/root",
        "root": {
            "inputDefinitions": {
                "parameters": parameters
                if parameters is not None
                else {
                    "span": {"parameterType": "NUMBER_INTEGER", "defaultValue": -1},
                    "preset": {"parameterType": "STRING", "defaultValue": ""},
                }
            },
            "dag": {"tasks": {"Trainer": {"cachingOptions": {"enableCache": True}, "taskInfo": {"name": "Trainer"}}}},
        },
        "deploymentSpec": {"executors": {"Trainer_executor": {"container": {"image": image}}}},
    }


@pytest.fixture
def make_package(tmp_path: Any) -> Callable[..., Package]:
    def make(**settings: Any) -> Package:
        path = tmp_path / "pipeline.yaml"
        path.write_text(yaml.safe_dump_all([pipeline(**settings), {"platforms": {"kubernetes": {}}}]))
        return read_package(path)

    return make
