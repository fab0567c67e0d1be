"""Every request to the server: bounded in time, tried again only where that is safe, failures in clear words."""

import json
from typing import Any
from urllib.parse import urlsplit

import tenacity
import urllib3
from kfp_server_api import ApiException, Configuration
from kfp_server_api.rest import RESTClientObject, RESTResponse

from modules.errors import ClusterError

#: Seconds to connect, and to wait for an answer; an upload of a large package is slow to be answered.
TIMEOUT = (10.0, 60.0)
ATTEMPTS = 4
#: Seconds before the second attempt; doubled for each further one.
PATIENCE = 1.0

_TOO_MANY = 429
_PASSING = frozenset({_TOO_MANY, 500, 502, 503, 504})


class ServerError(ClusterError):
    """The server did not do what was asked.

    Attributes:
        status: its HTTP status; None when no answer came.
        given_up: the request was tried again already, as often as makes sense.
    """

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status
        self.given_up = False

    @property
    def passing(self) -> bool:
        """Whether the same request may fare better later: no answer, overload, or a fault of the server's own."""
        return self.status is None or self.status in _PASSING


def attempts() -> tenacity.Retrying:
    """Tries again what failed in passing; only for what does no harm when it is done twice."""
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_exponential(multiplier=PATIENCE, max=10),
        retry=tenacity.retry_if_exception(_worth_trying),
        reraise=True,
    )


def _worth_trying(error: BaseException) -> bool:
    return isinstance(error, ServerError) and error.passing and not error.given_up


class Transport(RESTClientObject):
    """The transport under kfp's client, which by itself waits for ever and shows tracebacks.

    Reading, enabling, disabling and deleting are tried again; creating never is, since an answer that is lost does not
    mean that nothing was created.
    """

    def __init__(self, configuration: Configuration):
        # urllib3 would try again by itself, and follow redirects to a sign-in page that answers 200.
        configuration.retries = False
        super().__init__(configuration)
        self._host = configuration.host

    def request(self, method: str, url: str, *args: Any, **settings: Any) -> RESTResponse:
        settings["_request_timeout"] = TIMEOUT
        if not _harmless_twice(method, url):
            return self._once(method, url, *args, **settings)
        try:
            return attempts()(self._once, method, url, *args, **settings)
        except ServerError as error:
            error.given_up = True
            raise

    def _once(self, method: str, url: str, *args: Any, **settings: Any) -> RESTResponse:
        try:
            return super().request(method, url, *args, **settings)
        except urllib3.exceptions.HTTPError as error:
            raise _unanswered(self._host, method, url, error) from error
        except ApiException as error:
            # kfp's transport turns a failed handshake into a status of its own.
            if error.status == 0:
                raise _untrusted(self._host, error.reason) from error
            raise _refused(self._host, method, url, error.status, error.body or b"") from error


def _harmless_twice(method: str, url: str) -> bool:
    path = urlsplit(url).path
    return method in ("GET", "DELETE") or path.endswith((":enable", ":disable"))


def _unanswered(host: str, method: str, url: str, error: Exception) -> ServerError:
    """What a lost, refused or timed-out connection means."""
    if isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return ServerError(
            f"expected a Kubeflow Pipelines server at {host}, got no connection ({_first_line(error)}): check --host; "
            "from outside the cluster, `kubectl -n kubeflow port-forward svc/ml-pipeline 8888` makes it "
            "http://localhost:8888"
        )
    unknown = "" if _harmless_twice(method, url) else "; whether it was done is not known: look at the status first"
    return ServerError(
        f"{host}: expected an answer to {method} {urlsplit(url).path} within {TIMEOUT[1]:g} s, got none "
        f"({_first_line(error)}){unknown}"
    )


def _untrusted(host: str, reason: str) -> ClusterError:
    return ClusterError(
        f"{host}: no trusted connection ({_first_line(reason)}): the environment variable SSL_CERT_FILE names the file "
        "of certificates to trust"
    )


def _refused(host: str, method: str, url: str, status: int, body: bytes) -> ServerError:
    """What an HTTP status means and what to do about it."""
    if status in (401, 403):
        advice = (
            "not signed in, or not allowed: KFP_TOKEN or KFP_COOKIE in the environment carry the sign-in, --namespace "
            "names your namespace"
        )
    elif 300 <= status <= 399:
        advice = "a redirect, as to a sign-in page: check --host; KFP_TOKEN or KFP_COOKIE carry the sign-in"
    elif status in _PASSING and status != _TOO_MANY:
        advice = "a fault of the server's: `kubectl -n kubeflow logs deploy/ml-pipeline` tells more; try again later"
    else:
        advice = _message(body) or "no reason given"
    said = f" ({_message(body)})" if advice != _message(body) and _message(body) else ""
    return ServerError(f"{host}: {method} {urlsplit(url).path} was answered HTTP {status}{said}: {advice}", status)


def _message(body: bytes) -> str:
    """The server's own words, on one line."""
    text = body.decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    if isinstance(answer, dict):
        # The upload's answers have names of their own.
        answer = answer.get("error_details") or answer.get("message") or answer.get("error") or text
    return _first_line(answer)


def _first_line(words: object) -> str:
    return " ".join(str(words).split())[:300]
