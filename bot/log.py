"""Logging: one line an event, ids only. Never names, phones, answers, message text or the token."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import Processor

#: Libraries that would write addresses (which hold the token), parameters or every move.
_TALKATIVE = (
    "telegram",
    "httpx",
    "httpcore",
    "aiohttp",
    "transitions",
    "asyncio",
    "uvicorn",
    "alembic",
    "niquests",
    "urllib3_future",
)

#: What the clinic's side, which logs by the standard library, may say beside an event.
_ALLOWED = ("action", "error", "place", "staff_id", "status", "why")

_TEXT = structlog.processors.KeyValueRenderer(
    key_order=["timestamp", "level", "event", "action"], sort_keys=False
)
_JSON = structlog.processors.JSONRenderer()


LogFormat = Literal["auto", "json", "text"]


def is_text(log_format: LogFormat) -> bool:
    """Say whether a person reads the log as it is written."""
    return log_format == "text" or (log_format == "auto" and sys.stderr.isatty())


def configure(level: str = "INFO", log_format: LogFormat = "auto") -> None:
    """Set up logging for the process; `level` is a name that the standard library knows.

    `auto` writes text to a terminal and JSON, one object a line, to anything else.
    """
    handler = logging.StreamHandler()
    renderer = _TEXT if is_text(log_format) else _JSON
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(_ALLOWED), *shared],
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_without_updates)
    handler.addFilter(_without_calendars)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _without_updates(record: logging.LogRecord) -> bool:
    """Keep out the one kind of line in which PTB quotes whole updates."""
    return "parsing updates" not in str(record.msg)


def _without_calendars(record: logging.LogRecord) -> bool:
    """Keep out the lines in which caldav, through the root logger too, quotes servers' answers."""
    return "/caldav/" not in record.pathname.replace("\\", "/")


def place_of(error: BaseException) -> str:
    """Return file and line where an error was raised: its words may quote a patient."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
