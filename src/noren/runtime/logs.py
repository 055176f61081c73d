"""Logs: one JSON object a line on the error stream, without personal data.

What a log line may hold is decided here: the event's words, codes, ids and counts. The text of an exception
and the path of a request are left out, since they can repeat what somebody typed or a booking link's token;
an exception is its class, its places in the code and, for the database's, the SQLSTATE and the constraint.
"""

import logging
import logging.config
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

DJANGO: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "noren.runtime.logs.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "ERROR"},
        "procrastinate": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},
    },
}

# An exception that is kept and raised over and over gathers causes without end.
_CAUSES = 10


def configure(settings: dict[str, Any]) -> None:
    """Set up both structlog and the standard library's logging (Django's LOGGING_CONFIG)."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(settings)


def formatter() -> logging.Formatter:
    """Return the formatter through which every line goes, ours and the libraries'."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            _foreign,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def _foreign(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Keep a library's words as they stand in its code, without the values it would fill in."""
    record: logging.LogRecord = event["_record"]
    event["event"] = str(record.msg)
    status = getattr(record, "status_code", None)
    if status is not None:
        event["status"] = status
    return event


def _exception(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    error = _error(given)
    if error is not None:
        event["error"] = describe(error)
    return event


def _error(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def describe(error: BaseException, above: tuple[BaseException, ...] = ()) -> dict[str, Any]:
    """Return an exception as it may be logged: class, places in the code, database codes, and its cause.

    `above` it has caused already: what is raised again while it is handled can be its own cause.
    """
    told: dict[str, Any] = {
        "class": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]],
    }
    codes = {
        "code": getattr(error, "code", None),
        "sqlstate": getattr(error, "sqlstate", None),
        "constraint": getattr(getattr(error, "diag", None), "constraint_name", None),
    }
    told |= {name: value for name, value in codes.items() if isinstance(value, str)}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    above = (*above, error)
    if cause is not None and len(above) < _CAUSES and not any(cause is one for one in above):
        told["cause"] = describe(cause, above)
    return told
