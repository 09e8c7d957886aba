"""The connector's log. Lines are cut at 4 KiB, and the host takes secrets out of them."""

from . import host


def debug(message: str) -> None:
    """For whoever writes the connector."""
    _write("DEBUG", message)


def info(message: str) -> None:
    """What happened."""
    _write("INFO", message)


def warn(message: str) -> None:
    """What somebody should look at."""
    _write("WARN", message)


def error(message: str) -> None:
    """What failed."""
    _write("ERROR", message)


def _write(level: str, message: str) -> None:
    log = host.modules.get("log")
    if log is not None:
        log.write(log.Level[level], message)
