"""Starts one run, and tells of runs."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import Any

import kfp.client
from kfp_server_api import V2beta1RecurringRun, V2beta1Run

from modules.errors import ConfigError
from movielens_kubeflow.client.connection import every, named, quiet
from movielens_kubeflow.client.package import Package
from movielens_kubeflow.client.transport import ServerError, attempts
from movielens_kubeflow.client.uploads import upload

_ENDED = frozenset({"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"})


@dataclass(frozen=True)
class RunSettings:
    """What a run or a schedule is given besides its pipeline; what is empty is the package's or the server's own.

    Attributes:
        parameters: values by name; the package's defaults stay unless named here.
        pipeline_root: where the artifacts go.
        experiment: the group that the server shows the runs under.
        service_account: what the pods may do.
    """

    parameters: dict[str, Any]
    pipeline_root: str = ""
    experiment: str = ""
    service_account: str = ""


def submit(client: kfp.client.Client, package: Package, settings: RunSettings) -> V2beta1Run:
    """Uploads the package if need be and starts one run of it.

    Creating a run is never tried again blindly. Its name is unique, so when the answer is lost, the run is looked for.

    Raises:
        ConfigError: a parameter without default has no value.
        ClusterError: the server refused or failed.
    """
    check_parameters(package, settings.parameters)
    root = pipeline_root(package, settings)
    version = upload(client, package)
    experiment = experiment_id(client, settings.experiment or package.name)
    name = f"{package.name} {datetime.now(timezone.utc):%Y-%m-%d %H-%M-%S} {secrets.token_hex(3)}"
    try:
        with quiet():
            return client.run_pipeline(
                experiment_id=experiment,
                job_name=name,
                params=settings.parameters,
                pipeline_id=version.pipeline_id,
                version_id=version.version_id,
                pipeline_root=root,
                service_account=settings.service_account or None,
            )
    except ServerError as error:
        run = _find_run(client, experiment, name) if error.passing else None
        if run is None:
            raise
        return run


def check_parameters(package: Package, given: dict[str, Any]) -> None:
    """Refuses what the server would refuse only once the run has begun."""
    missing = sorted(package.required - set(given))
    if missing:
        raise ConfigError(f"expected a value for {', '.join(missing)}, which has no default: add -p {missing[0]}=VALUE")


def pipeline_root(package: Package, settings: RunSettings) -> str:
    """The root to send along: the server's own default would be a bucket that nobody chose."""
    root = settings.pipeline_root or package.pipeline_root
    if not root:
        raise ConfigError("expected --pipeline-root, as the package names none")
    return root


def experiment_id(client: kfp.client.Client, name: str) -> str:
    """The experiment called so, made if there is none."""
    with quiet():
        # It looks before it makes one, and the server refuses a second one of the name: trying again is safe.
        made = attempts()(client.create_experiment, name, namespace=client.get_user_namespace() or None)
    return made.experiment_id


def runs_of(client: kfp.client.Client, recurring_runs: Sequence[V2beta1RecurringRun]) -> Iterator[V2beta1Run]:
    """The runs that recurring runs started, the newest first."""
    ids = {recurring.recurring_run_id for recurring in recurring_runs}
    oldest = min(recurring.created_at for recurring in recurring_runs)
    for run in _newest_first(client):
        if run.created_at < oldest:
            return
        if run.recurring_run_id in ids:
            yield run


def unfinished_runs(client: kfp.client.Client, recurring_runs: Sequence[V2beta1RecurringRun]) -> Iterator[V2beta1Run]:
    """Those of their runs that have not ended."""
    return (run for run in runs_of(client, recurring_runs) if run.state not in _ENDED)


def last_runs(client: kfp.client.Client, count: int) -> list[V2beta1Run]:
    """The newest runs of the namespace."""
    return list(islice(_newest_first(client), count))


def _newest_first(client: kfp.client.Client) -> Iterator[V2beta1Run]:
    namespace = client.get_user_namespace() or None
    return every(client.list_runs, "runs", sort_by="created_at desc", namespace=namespace)


def _find_run(client: kfp.client.Client, experiment: str, name: str) -> V2beta1Run | None:
    return next(every(client.list_runs, "runs", experiment_id=experiment, filter=named(name)), None)
