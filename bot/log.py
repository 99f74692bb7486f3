"""Logging: one line an event, ids only. Never names, phones, answers, message text or the token."""

from __future__ import annotations

import logging

import structlog

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
)


def configure(level: str = "INFO") -> None:
    """Set up logging for the process; `level` is a name that the standard library knows."""
    logging.basicConfig(level=level, format="%(message)s", force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_without_updates)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "level", "event", "action"], sort_keys=False
            ),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _without_updates(record: logging.LogRecord) -> bool:
    """Keep out the one kind of line in which PTB quotes whole updates."""
    return "parsing updates" not in str(record.msg)


def place_of(error: BaseException) -> str:
    """Return file and line where an error was raised: its words may quote a patient."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
