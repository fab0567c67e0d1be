"""Third-party chatter goes to a run's log file; what this project has to say goes to the person."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Libraries that warn about themselves on import or at every call; our own warnings stay visible.
_CHATTY = (
    "tensorflow",
    "tf_keras",
    "keras",
    "tfx",
    "apache_beam",
    "tensorflow_data_validation",
    "google",
    "pkg_resources",
)


def log_to(path: Path) -> None:
    """Sends every log record from INFO on to `path`, and none to the terminal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    silence_warnings()
    # TensorFlow's logger has a terminal handler of its own.
    tensorflow_logger = logging.getLogger("tensorflow")
    tensorflow_logger.handlers.clear()
    tensorflow_logger.propagate = True


@contextmanager
def imports() -> Iterator[None]:
    """Hides what is logged below an error while packages are imported; Beam warns through the root logger then."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def silence_warnings() -> None:
    """Hides what third-party packages warn about themselves; our own warnings stay."""
    for package in _CHATTY:
        warnings.filterwarnings("ignore", module=rf"{package}(\.|$)")
