"""What KFP's API server and workflow compiler accept; everything else is refused, as there."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

_PIPELINE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# Argo's names of tasks.
_TASK_NAME = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_KINDS = {"NUMBER_INTEGER": "number_value", "NUMBER_DOUBLE": "number_value", "STRING": "string_value"}
_KINDS |= {"BOOLEAN": "bool_value", "LIST": "list_value", "STRUCT": "struct_value"}


class Refused(Exception):
    """KFP would not take this."""


@dataclass
class Package:
    """An accepted package."""

    spec: pb.PipelineSpec
    deployment: pb.PipelineDeploymentConfig
    kubernetes: dict[str, KubernetesExecutorConfig] = field(default_factory=dict)

    @property
    def tasks(self) -> dict[str, pb.PipelineTaskSpec]:
        return dict(self.spec.root.dag.tasks)

    def component(self, task: str) -> pb.ComponentSpec:
        return self.spec.components[self.tasks[task].component_ref.name]

    def container(self, task: str) -> pb.PipelineDeploymentConfig.PipelineContainerSpec:
        return self.deployment.executors[self.component(task).executor_label].container


def read_package(text: str) -> Package:
    """Parses an uploaded package.

    Raises:
        Refused: with the server's reason.
    """
    spec, platform = None, None
    for document in yaml.safe_load_all(text):
        if "pipelineInfo" in document:
            if spec is not None:
                raise Refused("multiple pipeline specs provided")
            spec = parse(document, pb.PipelineSpec())
        elif "platforms" in document:
            if platform is not None:
                raise Refused("multiple platform specs provided")
            platform = parse(document, pb.PlatformSpec())
        else:
            raise Refused("unknown template format")
    if spec is None:
        raise Refused("no pipeline spec is provided")
    package = Package(spec, parse(json_format.MessageToDict(spec.deployment_spec), pb.PipelineDeploymentConfig()))
    _check_spec(package)
    if platform is not None:
        package.kubernetes = _kubernetes(platform, package)
    return package


def parse(document: Any, message: Any) -> Any:
    """Parses as strictly as protojson does: an unknown field or a wrong type is an error."""
    try:
        return json_format.ParseDict(document, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        raise Refused(f"invalid {message.DESCRIPTOR.name}: {error}") from error


def _check_spec(package: Package) -> None:
    spec = package.spec
    if spec.schema_version != "2.1.0":
        raise Refused(
            f"KFP only supports schema version 2.1.0, but the pipeline spec has version {spec.schema_version}"
        )
    if not _PIPELINE_NAME.fullmatch(spec.pipeline_info.name):
        raise Refused(
            f"name should consist of lower case alphanumeric characters, '-' or '.': {spec.pipeline_info.name}"
        )
    if not spec.root.dag.tasks:
        raise Refused("root component is empty")
    for name, task in spec.root.dag.tasks.items():
        if not _TASK_NAME.fullmatch(name) or len(name) > 128:
            raise Refused(f"task name {name!r} is no name of Argo's")
        if task.task_info.name != name:
            raise Refused(f"task {name!r} is called {task.task_info.name!r}")
        if task.component_ref.name not in spec.components:
            raise Refused(f"component spec for {task.component_ref.name!r} not found")
        _check_task(package, name, task)


def _check_task(package: Package, name: str, task: pb.PipelineTaskSpec) -> None:
    component = package.component(name)
    if component.executor_label not in package.deployment.executors:
        raise Refused(f"executor with label {component.executor_label!r} not found")
    executor = package.deployment.executors[component.executor_label]
    if executor.WhichOneof("spec") != "container":
        raise Refused(f"{executor.WhichOneof('spec')}: non-container and non-importer executor not implemented")
    if not executor.container.image or not executor.container.command:
        raise Refused(f"{name}: a container needs an image and a command")
    unknown = set(task.dependent_tasks) - set(package.tasks)
    if unknown:
        raise Refused(f"{name} depends on unknown tasks {unknown}")
    for parameter, source in task.inputs.parameters.items():
        if parameter not in component.input_definitions.parameters:
            raise Refused(f"{name}: the component has no parameter {parameter!r}")
        if source.WhichOneof("kind") == "component_input_parameter":
            if source.component_input_parameter not in package.spec.root.input_definitions.parameters:
                raise Refused(f"parent DAG does not have input parameter {source.component_input_parameter}")
        elif source.runtime_value.WhichOneof("value") != "constant":
            raise Refused(f"{name}.{parameter}: param runtime value spec not implemented")
    for artifact, source in task.inputs.artifacts.items():
        producer = source.task_output_artifact
        if producer.producer_task not in package.tasks:
            raise Refused(f"{name}.{artifact}: cannot find producer task {producer.producer_task!r}")
        if producer.output_artifact_key not in package.component(producer.producer_task).output_definitions.artifacts:
            raise Refused(f"{name}.{artifact}: the producer has no output {producer.output_artifact_key!r}")


def _kubernetes(platform: pb.PlatformSpec, package: Package) -> dict[str, KubernetesExecutorConfig]:
    executors = platform.platforms["kubernetes"].deployment_spec.executors
    unknown = set(executors) - set(package.deployment.executors)
    if unknown:
        raise Refused(f"the platform spec names unknown executors {unknown}")
    return {
        label: parse(json_format.MessageToDict(config), KubernetesExecutorConfig())
        for label, config in executors.items()
    }


def run_parameters(package: Package, given: dict[str, Any]) -> dict[str, Value]:
    """The root's parameters of a run: what is given, and defaults for the rest.

    Raises:
        Refused: one is unknown, missing or of another type.
    """
    declared = package.spec.root.input_definitions.parameters
    if unknown := set(given) - set(declared):
        raise Refused(f"parameters are not required by the pipeline: {unknown}")
    values = {}
    for name, parameter in declared.items():
        if name in given:
            value = json_format.ParseDict(given[name], Value())
        elif parameter.HasField("default_value"):
            value = parameter.default_value
        else:
            raise Refused(f"parameter {name} is not optional, yet has neither default value nor user provided value")
        kind = pb.ParameterType.ParameterTypeEnum.Name(parameter.parameter_type)
        if value.WhichOneof("kind") != _KINDS.get(kind):
            raise Refused(f"input parameter {name} requires type {kind}, got {value.WhichOneof('kind')}")
        values[name] = value
    return values
