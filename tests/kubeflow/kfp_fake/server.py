"""The state and rules of a Kubeflow Pipelines API server: refuses what it does not expect, fails when told to."""

import email
import email.policy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import yaml

_ROOT = "/apis/v2beta1"


class Refusal(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass
class Fault:
    """What goes wrong with the next requests of a kind.

    `kind` is an HTTP status, "late" (answers too late, having done it) or "lost" (does it and closes the connection).
    """

    method: str
    path: str
    kind: int | str
    times: int = 1


@dataclass
class FakeServer:
    """State and rules; the HTTP around it is in `kfp_fake.web`."""

    now: datetime = datetime(2025, 6, 1, 12, 30, 0, tzinfo=timezone.utc)
    multi_user: bool = False
    token: str = ""
    address: str = ""
    page: int = 2
    experiments: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    recurring: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=itertools.count)
    # Called after each request that changed something: tests stop a command there, or let the clock run.
    after_change: Callable[[str, str], None] = lambda method, path: None
    # Called when an answer will be late: a test's client then waits less.
    when_late: Callable[[], None] = lambda: None

    def fail(self, method: str, path: str, kind: int | str, times: int = 1) -> None:
        if kind == "late":
            self.when_late()
        self.faults.append(Fault(method, path, kind, times))

    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self.ids)}"

    # ---- what the controller does -------------------------------------------------------------------------------

    def tick(self) -> None:
        """Starts what is due, as the controller does with no_catchup: the latest due time only. Crons are hourly."""
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        for recurring in self.recurring:
            assert recurring["trigger"]["cron_schedule"]["cron"] == "0 0 * * * *"
            start = recurring["trigger"]["cron_schedule"].get("start_time")
            owed_from = recurring.get("last") or start or recurring["created_at"]
            if recurring["mode"] == "ENABLE" and _moment(owed_from) < hour:
                recurring["last"] = hour.strftime("%Y-%m-%dT%H:%M:%SZ")
                self.start_run(recurring, hour)

    def start_run(self, recurring: dict[str, Any], hour: datetime | None = None, state: str = "SUCCEEDED") -> None:
        self.runs.append(
            {
                "run_id": self.new_id("run"),
                "display_name": f"scheduled {hour:%H}" if hour else "scheduled",
                "created_at": self.stamp(),
                "scheduled_at": self.stamp(),
                "finished_at": self.stamp() if state == "SUCCEEDED" else "1970-01-01T00:00:00Z",
                "state": state,
                "recurring_run_id": recurring["recurring_run_id"],
                "experiment_id": recurring["experiment_id"],
                "pipeline_version_reference": recurring["pipeline_version_reference"],
            }
        )

    # ---- the API ------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], headers: Any, body: bytes) -> Any:
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            raise Refusal(401, "Request header error: there is no user identity header.")
        if not path.startswith(_ROOT):
            raise Refusal(404, "page not found")
        action = (method, re.sub(r"/(rec|pipe|ver|exp|run)-\d+", "/ID", path.removeprefix(_ROOT)))
        routes: dict[tuple[str, str], Callable[..., Any]] = {
            ("GET", "/healthz"): lambda: {"multi_user": self.multi_user},
            ("GET", "/experiments"): lambda: self._page("experiments", self.experiments, query),
            ("POST", "/experiments"): lambda: self._create_experiment(query, body),
            ("GET", "/pipelines"): lambda: self._page("pipelines", self.pipelines, query),
            ("POST", "/pipelines/upload"): lambda: self._upload(query, headers, body),
            ("POST", "/pipelines/upload_version"): lambda: self._upload_version(query, headers, body),
            ("GET", "/pipelines/ID/versions"): lambda: self._page("pipeline_versions", self._versions(path), query),
            ("GET", "/pipelines/ID/versions/ID"): lambda: self._get(self.versions, "pipeline_version_id", path, query),
            ("POST", "/runs"): lambda: self._create_run(query, body),
            ("GET", "/runs"): lambda: self._page("runs", self.runs, query, {"experiment_id"}),
            ("GET", "/recurringruns"): lambda: self._page("recurringRuns", self.recurring, query),
            ("POST", "/recurringruns"): lambda: self._create_recurring(query, body),
            ("POST", "/recurringruns/ID:enable"): lambda: self._set_mode(path, query, "ENABLE"),
            ("POST", "/recurringruns/ID:disable"): lambda: self._set_mode(path, query, "DISABLE"),
            ("DELETE", "/recurringruns/ID"): lambda: self._delete_recurring(path, query),
        }
        if action not in routes:
            raise self._violation(f"no such call: {method} {path}", 404)
        return routes[action]()

    def _page(
        self, name: str, entries: list[dict[str, Any]], query: dict[str, str], more: set[str] = frozenset()
    ) -> dict[str, Any]:
        self._known(query, {"page_token", "page_size", "sort_by", "filter", "namespace", *more})
        if bool(query.get("namespace")) != (self.multi_user and name not in ("pipeline_versions",)) and not (
            name == "runs" and "experiment_id" in query
        ):
            raise self._violation(f"namespace {query.get('namespace')!r} for {name}")
        found = [dict(entry) for entry in entries]
        if query.get("filter"):
            rule = json.loads(query["filter"])
            wanted = rule["predicates"][0].get("stringValue")
            # kfp itself names the operation by its number.
            if (
                rule["predicates"][0]["operation"] not in ("EQUALS", 1)
                or rule["predicates"][0]["key"] != "display_name"
            ):
                raise self._violation(f"filter {rule}")
            found = [entry for entry in found if entry["display_name"] == wanted]
        if "experiment_id" in query:
            found = [entry for entry in found if entry["experiment_id"] == query["experiment_id"]]
        column, _, order = query.get("sort_by", "").partition(" ")
        if column:
            found.sort(key=lambda entry: entry[column], reverse=order == "desc")
        begin = int(query.get("page_token") or 0)
        # The server may give less than was asked for.
        end = begin + min(self.page, int(query.get("page_size", 10)))
        more_left = {"next_page_token": str(end)} if end < len(found) else {}
        return {name: found[begin:end], "total_size": len(found), **more_left}

    def _create_experiment(self, query: dict[str, str], body: bytes) -> dict[str, Any]:
        self._known(query, set())
        wanted = self._body(body, {"display_name"}, {"namespace", "description"})
        if any(entry["display_name"] == wanted["display_name"] for entry in self.experiments):
            raise Refusal(409, "experiment exists already")
        made = {"experiment_id": self.new_id("exp"), "created_at": self.stamp(), **wanted}
        self.experiments.append(made)
        return made

    def _upload(self, query: dict[str, str], headers: Any, body: bytes) -> dict[str, Any]:
        self._known(query, {"name", "namespace", "description"})
        content = self._file(headers, body)
        if any(entry["display_name"] == query["name"] for entry in self.pipelines):
            raise Refusal(409, "pipeline exists already")
        made = {"pipeline_id": self.new_id("pipe"), "display_name": query["name"], "created_at": self.stamp()}
        self.pipelines.append(made)
        self._add_version(made["pipeline_id"], query["name"], content)
        return made

    def _upload_version(self, query: dict[str, str], headers: Any, body: bytes) -> dict[str, Any]:
        self._known(query, {"name", "pipelineid", "description"})
        content = self._file(headers, body)
        if not any(entry["pipeline_id"] == query["pipelineid"] for entry in self.pipelines):
            raise self._violation("upload_version of an unknown pipeline")
        if any((v["pipeline_id"], v["display_name"]) == (query["pipelineid"], query["name"]) for v in self.versions):
            raise Refusal(409, "version exists already")
        return self._add_version(query["pipelineid"], query["name"], content)

    def _add_version(self, pipeline_id: str, name: str, content: bytes) -> dict[str, Any]:
        made = {
            "pipeline_id": pipeline_id,
            "pipeline_version_id": self.new_id("ver"),
            "display_name": name,
            "created_at": self.stamp(),
            "pipeline_spec": next(iter(yaml.safe_load_all(content))),
        }
        self.versions.append(made)
        return made

    def _create_run(self, query: dict[str, str], body: bytes) -> dict[str, Any]:
        self._known(query, {"experiment_id"})
        wanted = self._body(
            body,
            {"display_name", "experiment_id", "pipeline_version_reference", "runtime_config"},
            {"service_account"},
        )
        self._check_runtime(wanted)
        made = {"run_id": self.new_id("run"), "created_at": self.stamp(), "state": "PENDING", **wanted}
        self.runs.append(made)
        return made

    def _create_recurring(self, query: dict[str, str], body: bytes) -> dict[str, Any]:
        self._known(query, set())
        wanted = self._body(
            body,
            {"display_name", "experiment_id", "pipeline_version_reference", "runtime_config", "trigger", "mode"}
            | {"max_concurrency", "no_catchup"},
            {"service_account"},
        )
        self._check_runtime(wanted)
        cron = wanted["trigger"]["cron_schedule"]
        if wanted["no_catchup"] is not True or wanted["max_concurrency"] != 1 or len(cron["cron"].split()) != 6:
            raise self._violation(f"recurring run {wanted}")
        if wanted["mode"] not in ("ENABLE", "DISABLE") or not set(cron) <= {"cron", "start_time"}:
            raise self._violation(f"recurring run {wanted}")
        status = {"ENABLE": "ENABLED", "DISABLE": "DISABLED"}[wanted["mode"]]
        made = {"recurring_run_id": self.new_id("rec"), "created_at": self.stamp(), "status": status, **wanted}
        made["max_concurrency"] = "1"  # int64 is a string in protobuf's JSON
        made.setdefault("service_account", "pipeline-runner")
        self.recurring.append(made)
        return made

    def _check_runtime(self, wanted: dict[str, Any]) -> None:
        if not any(entry["experiment_id"] == wanted["experiment_id"] for entry in self.experiments):
            raise self._violation("unknown experiment")
        reference = wanted["pipeline_version_reference"]
        if not any(reference.items() <= version.items() for version in self.versions) or len(reference) != 2:
            raise self._violation(f"unknown version {reference}")
        if not wanted["runtime_config"].get("pipeline_root"):
            raise self._violation("no pipeline root")

    def _set_mode(self, path: str, query: dict[str, str], mode: str) -> dict[str, Any]:
        self._known(query, set())
        entry = self._find(self.recurring, "recurring_run_id", path.rpartition(":")[0])
        entry.update(mode=mode, status=f"{mode}D")
        return {}

    def _delete_recurring(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        self._known(query, set())
        entry = self._find(self.recurring, "recurring_run_id", path)
        self.recurring.remove(entry)
        for run in self.runs:
            # Kubernetes removes what the recurring run owns.
            if run.get("recurring_run_id") == entry["recurring_run_id"] and run["state"] == "RUNNING":
                run["state"] = "KILLED"
        return {}

    def _versions(self, path: str) -> list[dict[str, Any]]:
        return [version for version in self.versions if version["pipeline_id"] == path.split("/")[-2]]

    def _get(self, entries: list[dict[str, Any]], key: str, path: str, query: dict[str, str]) -> dict[str, Any]:
        self._known(query, set())
        return self._find(entries, key, path)

    def _find(self, entries: list[dict[str, Any]], key: str, path: str) -> dict[str, Any]:
        for entry in entries:
            if entry[key] == path.rpartition("/")[2]:
                return entry
        raise Refusal(404, f"{path} not found")

    def _known(self, query: dict[str, str], names: set[str]) -> None:
        if set(query) - names:
            raise self._violation(f"unknown query {set(query) - names}")

    def _body(self, body: bytes, needed: set[str], may: set[str]) -> dict[str, Any]:
        value = json.loads(body)
        if not needed <= set(value) <= needed | may:
            raise self._violation(f"expected {needed} and perhaps {may}, got {set(value)}")
        return value

    def _file(self, headers: Any, body: bytes) -> bytes:
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        parts = list(email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts())
        if len(parts) != 1 or parts[0].get_param("name", header="content-disposition") != "uploadfile":
            raise self._violation("expected one file called uploadfile")
        if not parts[0].get_filename().endswith(".yaml"):
            raise self._violation(f"file {parts[0].get_filename()}")
        return parts[0].get_payload(decode=True)

    def _violation(self, message: str, status: int = 400) -> Refusal:
        self.violations.append(message)
        return Refusal(status, message)

    # ---- faults -------------------------------------------------------------------------------------------------

    def fault(self, method: str, path: str) -> int | str | None:
        for one in self.faults:
            if one.method == method and re.search(one.path, path) and one.times > 0:
                one.times -= 1
                return one.kind
        return None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
