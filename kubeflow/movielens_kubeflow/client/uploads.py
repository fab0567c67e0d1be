"""Brings a package to the server, once."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import kfp.client

from movielens_kubeflow.client.connection import every, named, quiet
from movielens_kubeflow.client.package import Package
from movielens_kubeflow.client.transport import ServerError, attempts

_CONFLICT = 409


@dataclass(frozen=True)
class Uploaded:
    """A version of a pipeline on the server.

    Attributes:
        pipeline_id: the pipeline's.
        version_id: the version's.
        new: whether this call brought it there.
    """

    pipeline_id: str
    version_id: str
    new: bool


def upload(client: kfp.client.Client, package: Package) -> Uploaded:
    """Uploads a package as a version named by its content; what is there already is not uploaded again.

    Uploading is tried again, each time after a look at what the server has: an upload whose answer was lost is found.

    Raises:
        ClusterError: the server refused or failed.
    """
    return attempts()(_upload, client, package)


def _upload(client: kfp.client.Client, package: Package) -> Uploaded:
    pipeline_id = _find_pipeline(client, package.name)
    if pipeline_id is None:
        pipeline_id = _create_pipeline(client, package)
    version_id = _find_version(client, pipeline_id, package.version)
    if version_id is not None:
        return Uploaded(pipeline_id, version_id, new=False)
    with _as_file(package) as folder, quiet():
        try:
            version = client.upload_pipeline_version(
                str(Path(folder) / "pipeline.yaml"), package.version, pipeline_id=pipeline_id
            )
        except ServerError as error:
            # Someone else, or an attempt whose answer was lost, was faster.
            version_id = _find_version(client, pipeline_id, package.version) if error.status == _CONFLICT else None
            if version_id is None:
                raise
            return Uploaded(pipeline_id, version_id, new=False)
    return Uploaded(pipeline_id, version.pipeline_version_id, new=True)


def _create_pipeline(client: kfp.client.Client, package: Package) -> str:
    """Makes the pipeline; the server also makes a first version, which bears the pipeline's name."""
    with _as_file(package) as folder, quiet():
        try:
            pipeline = client.upload_pipeline(
                str(Path(folder) / "pipeline.yaml"),
                pipeline_name=package.name,
                namespace=client.get_user_namespace() or None,
            )
        except ServerError as error:
            pipeline_id = _find_pipeline(client, package.name) if error.status == _CONFLICT else None
            if pipeline_id is None:
                raise
            return pipeline_id
    return pipeline.pipeline_id


def _find_pipeline(client: kfp.client.Client, name: str) -> str | None:
    namespace = client.get_user_namespace() or None
    found = every(client.list_pipelines, "pipelines", filter=named(name), namespace=namespace)
    return next((pipeline.pipeline_id for pipeline in found), None)


def _find_version(client: kfp.client.Client, pipeline_id: str, name: str) -> str | None:
    found = every(client.list_pipeline_versions, "pipeline_versions", pipeline_id=pipeline_id, filter=named(name))
    return next((version.pipeline_version_id for version in found), None)


def _as_file(package: Package) -> tempfile.TemporaryDirectory[str]:
    """A folder with the package, since kfp's client uploads files only, and the server goes by their ending."""
    folder: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory()
    (Path(folder.name) / "pipeline.yaml").write_bytes(package.content)
    return folder
