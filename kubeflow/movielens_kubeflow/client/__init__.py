"""What a person or a CI job asks of a Kubeflow Pipelines server, through kfp's client."""

import importlib.util

from modules.errors import ConfigError

if importlib.util.find_spec("kfp") is None:
    raise ConfigError("expected the package kfp, found none: `make setup` or `uv sync --extra kubeflow` installs it")
