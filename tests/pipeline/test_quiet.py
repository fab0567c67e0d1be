import logging
import subprocess
import sys
import textwrap

from pipeline import quiet


def test_logs_go_to_the_file_and_foreign_warnings_nowhere_but_ours_are_seen(tmp_path):
    script = textwrap.dedent(
        """
        import logging, sys, warnings
        from pathlib import Path
        from pipeline.quiet import log_to
        log_to(Path(sys.argv[1]))
        logging.getLogger("apache_beam.x").warning("beam says")
        logging.getLogger("tensorflow").warning("tensorflow says")
        warnings.warn_explicit("google says", FutureWarning, "f.py", 1, module="google.api_core.version")
        warnings.warn_explicit("we say", UserWarning, "f.py", 1, module="modules.trainer")
        """
    )
    log = tmp_path / "logs" / "run.log"
    done = subprocess.run([sys.executable, "-c", script, log], capture_output=True, text=True, check=True)
    assert "we say" in done.stderr
    assert "says" not in done.stderr + done.stdout
    assert "beam says" in log.read_text()
    assert "tensorflow says" in log.read_text()


def test_imports_are_quiet_but_for_errors_and_what_comes_after_is_not(caplog):
    with quiet.imports():
        logging.getLogger().warning("a package about itself")
        logging.getLogger().error("broken")
    logging.getLogger().warning("after")
    assert caplog.messages == ["broken", "after"]
