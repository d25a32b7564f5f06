"""Logging: readable lines on a terminal, one JSON object per line elsewhere; no secrets in either."""

import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from jobs.clean import clean_values


def _clean_values(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Remove secrets from everything that an event tells; structlog's own entries begin with `_`."""
    ours = {key: value for key, value in event.items() if key.startswith("_")}
    return {**clean_values({key: value for key, value in event.items() if key not in ours}), **ours}


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    _clean_values,
]


def configure(*, level: str, as_json: bool | None = None) -> dict[str, Any]:
    """Set structlog up and return Django's `LOGGING`; `as_json` None asks whether standard error is a terminal."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    if as_json is None:
        as_json = not sys.stderr.isatty()
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": "INFO"},
            "django.server": {"handlers": [], "propagate": True},
            "psycopg.pool": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "google_genai": {"level": "WARNING"},
            "dramatiq": {"level": "WARNING"},
            # What it logs of a connection that fails comes as an exception, too.
            "pika": {"level": "CRITICAL"},
            "django_structlog": {"level": "WARNING"},
        },
    }
