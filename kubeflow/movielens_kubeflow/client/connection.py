"""Connects to a Kubeflow Pipelines server."""

import contextlib
import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import kfp.client
from kfp_server_api import V2beta1GetHealthzResponse

from modules.errors import ConfigError
from movielens_kubeflow.client.transport import Transport

_PAGE = 100


class _Client(kfp.client.Client):
    """kfp's client over `Transport`, and without what a file in the home folder says."""

    def _load_context_setting_or_default(self) -> None:
        self._context_setting = {"namespace": ""}

    def get_kfp_healthz(self, sleep_duration: int = 0) -> V2beta1GetHealthzResponse:
        """The constructor's first request; kfp's own waits 25 s for a server that is not there."""
        del sleep_duration  # the transport has its own
        api = self._healthz_api.api_client
        if not isinstance(api.rest_client, Transport):
            api.rest_client = Transport(api.configuration)
        return self._healthz_api.healthz_service_get_healthz()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops what kfp prints and warns of: standard output belongs to the command's own answer."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def connect(host: str, namespace: str = "", token: str = "", cookie: str = "") -> kfp.client.Client:
    """A client of the server at `host`, which is asked once whether it is one.

    Args:
        host: `http://` or `https://`, a name, and the path that it is served under, if any.
        namespace: the user's namespace where several users share the server, else empty.
        token: bearer token, or empty.
        cookie: the `Cookie` header of a sign-in, or empty.

    Raises:
        ConfigError: no such host can be, or the namespace does not fit the server.
        ClusterError: the server is not there or refuses.
    """
    if not host.startswith(("http://", "https://")):
        raise ConfigError(f"--host: expected http://... or https://..., got {host!r}")
    with quiet():
        client = _Client(
            host=host,
            namespace=namespace,
            existing_token=token or None,
            cookies=cookie or None,
            ssl_ca_cert=os.environ.get("SSL_CERT_FILE"),
        )
        shared = bool(client.get_kfp_healthz().multi_user)
    if shared and not namespace:
        raise ConfigError(f"{host} is shared by several users: --namespace must name yours")
    if namespace and not shared:
        raise ConfigError(f"{host} has a single user, so --namespace must be left out, got {namespace!r}")
    return client


def every(listing: Callable[..., Any], field: str, **query: Any) -> Iterator[Any]:
    """What a listing method of the client gives, page after page."""
    token = ""
    while True:
        page = listing(page_token=token, page_size=_PAGE, **query)
        yield from getattr(page, field) or []
        token = page.next_page_token
        if not token:
            return


def named(name: str) -> str:
    """The filter of a listing for what is called exactly `name`."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})
