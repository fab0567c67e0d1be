"""A compiled package as the client sees it: its name, its parameters, and a version name made of its content."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modules.errors import ConfigError
from movielens_kubeflow.parameters import OVERRIDES, run_config
from pipeline.config import PipelineConfig

CONFIG_ARGUMENT = "--config"

_READERS: dict[str, Callable[[str], Any]] = {
    "STRING": str,
    "NUMBER_INTEGER": int,
    "NUMBER_DOUBLE": float,
    "BOOLEAN": lambda text: {"true": True, "false": False}[text.lower()],
    "LIST": lambda text: _json(text, list),
    "STRUCT": lambda text: _json(text, dict),
}


@dataclass(frozen=True)
class Package:
    """A compiled pipeline.

    Attributes:
        content: the file's bytes: the pipeline document, and the platform document if there is one.
        name: the pipeline's.
        parameters: the run-time parameters' types by name.
        required: the parameters without a default.
        pipeline_root: where its artifacts go unless a run says otherwise.
        config: what it was compiled with, if it is this project's.
    """

    content: bytes
    name: str
    parameters: dict[str, str]
    required: frozenset[str]
    pipeline_root: str
    config: PipelineConfig | None

    @property
    def version(self) -> str:
        """The name of this version on the server: the same content has the same name, so it is uploaded once."""
        return f"sha-{hashlib.sha256(self.content).hexdigest()[:16]}"

    def values(self, words: Sequence[str]) -> dict[str, Any]:
        """The values that `name=value` words give to parameters.

        Raises:
            ConfigError: no `=`, no such parameter, a value of another type, or settings that the pipeline refuses.
        """
        values = dict(self._value(word) for word in words)
        if self.config is not None:
            run_config(self.config, *(values.get(name, "") for name in OVERRIDES))
        return values

    def _value(self, word: str) -> tuple[str, Any]:
        name, equals, text = word.partition("=")
        if not equals or name not in self.parameters:
            known = ", ".join(sorted(self.parameters)) or "none"
            raise ConfigError(f"-p {word}: expected NAME=VALUE with one of the parameters {known}")
        kind = self.parameters[name]
        try:
            return name, _READERS[kind](text)
        except (ValueError, KeyError) as error:
            raise ConfigError(f"-p {word}: expected a value of type {kind}, got {text!r}") from error


def read_package(path: Path) -> Package:
    """Reads what `movielens kubeflow compile` wrote.

    Raises:
        ConfigError: there is no such file, or it is not a compiled pipeline of schema 2.1.0.
    """
    try:
        return _package(path.read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file: `movielens kubeflow compile --output {path}` makes it") from error
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"{path}: expected a compiled pipeline, as `movielens kubeflow compile` writes it, not this: {error}"
        ) from error


def without_caching(package: Package) -> Package:
    """The same pipeline with every task run anew.

    A run of an uploaded version takes its caching from there, and a choice sent along is ignored, so the choice has to
    be part of the version.
    """
    documents = list(yaml.safe_load_all(package.content))
    for task in _tasks(documents[0]):
        task["cachingOptions"] = {}
    return _package(yaml.safe_dump_all(documents, sort_keys=True, width=10_000).encode())


def _package(content: bytes) -> Package:
    pipeline = [*yaml.safe_load_all(content), {}][0]
    if pipeline["schemaVersion"] != "2.1.0":
        raise ValueError(f"schema {pipeline['schemaVersion']}")
    parameters = pipeline["root"].get("inputDefinitions", {}).get("parameters", {})
    return Package(
        content=content,
        name=pipeline["pipelineInfo"]["name"],
        parameters={name: settings["parameterType"] for name, settings in parameters.items()},
        required=frozenset(
            name
            for name, settings in parameters.items()
            if "defaultValue" not in settings and not settings.get("isOptional")
        ),
        pipeline_root=pipeline.get("defaultPipelineRoot", ""),
        config=_config(pipeline),
    )


def _config(pipeline: dict[str, Any]) -> PipelineConfig | None:
    """The configuration, which each container gets as an argument."""
    for executor in pipeline.get("deploymentSpec", {}).get("executors", {}).values():
        arguments = executor["container"].get("args", [])
        if CONFIG_ARGUMENT in arguments:
            return PipelineConfig.model_validate_json(arguments[arguments.index(CONFIG_ARGUMENT) + 1])
    return None


def _tasks(pipeline: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for component in (pipeline["root"], *pipeline.get("components", {}).values()):
        yield from component.get("dag", {}).get("tasks", {}).values()


def _json(text: str, kind: type) -> Any:
    value = json.loads(text)
    if not isinstance(value, kind):
        raise ValueError(f"{text} is no JSON {kind.__name__}")
    return value
