"""What open-source KFP leaves out: the driver of a file-based ExampleGen."""

from pathlib import Path

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.file_based_example_gen import driver
from tfx.types import standard_component_specs as names
from tfx.utils import proto_utils

from components.import_examples.component import only_span
from movielens_kubeflow.folders import span_number

# TFX's driver writes the span as a custom property, but Examples declare it as a property of their own.
_RENAMED = {"custom:span": "span", "custom:version": "version"}


def resolve_span(task: pipeline_spec_pb2.ExecutorInput, inputs_spec: pipeline_spec_pb2.ComponentInputsSpec) -> None:
    """Resolves the span's file patterns; the executor finds them in the file of the task's outputs, as on Vertex AI."""
    range_config = proto_utils.proto_to_json(only_span(span_number(task)))
    task.inputs.parameter_values[names.RANGE_CONFIG_KEY].string_value = range_config
    driver._run_driver(task, inputs_spec)
    resolved = json_format.Parse(Path(task.outputs.output_file).read_text(), pipeline_spec_pb2.ExecutorOutput())
    for name, artifacts in resolved.artifacts.items():
        for artifact, found in zip(task.outputs.artifacts[name].artifacts, artifacts.artifacts, strict=True):
            metadata = json_format.MessageToDict(found.metadata)
            artifact.metadata.update({_RENAMED.get(key, key): value for key, value in metadata.items()})
