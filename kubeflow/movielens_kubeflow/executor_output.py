"""What a node reports to KFP's launcher: the locations that others know, and nothing that KFP refuses."""

import json
from pathlib import Path
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from modules import files
from movielens_kubeflow.locations import LauncherFolders


def finish(task: pipeline_spec_pb2.ExecutorInput, launcher: LauncherFolders) -> None:
    """Turns local paths into URIs: in the file of the task's outputs, and in the reports among its artifacts."""
    path = Path(task.outputs.output_file)
    files.write_json(path, _restored(json.loads(path.read_text(encoding="utf-8")), launcher))
    for artifacts in task.outputs.artifacts.values():
        for artifact in artifacts.artifacts:
            for report in sorted(Path(artifact.uri).glob("*.json")):
                text = report.read_text(encoding="utf-8")
                if (restored := launcher.restore(text)) != text:
                    files.write_bytes(report, restored.encode())


def _restored(value: Any, launcher: LauncherFolders) -> Any:
    if isinstance(value, str):
        return launcher.restore(value)
    if isinstance(value, list):
        return [_restored(element, launcher) for element in value]
    if isinstance(value, dict):
        # KFP fails on metadata without a value.
        return {key: _restored(element, launcher) for key, element in value.items() if element is not None}
    return value
