"""What processes find in their environment."""

import os

from yellowbook.local.servers import EmbeddedServers

#: What of the caller's environment would change how the system behaves.
FOREIGN = (
    *("DATABASE_", "REDIS_", "BROKER_", "GEMINI_", "EMBEDDING_", "JOB_", "WORKER", "SHUTDOWN_", "START_", "RETENTION_"),
    *("DJANGO_", "VAR_DIR", "PORT", "SAMPLE_DATA", "LOG_LEVEL", "PROMETHEUS_", "ALERT_", "EMAIL_", "dramatiq_"),
    *("ENRICHMENT", "LLM_", "CATALOGUE_", "CURATION_", "REMINDERS_", "SEARCH_", "SIMILAR_"),
)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without settings of the project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def environment_of(servers: EmbeddedServers, **settings: str) -> dict[str, str]:
    """Return an environment that leads to `servers`, with some settings and nothing foreign."""
    return {
        **clean_environment(),
        "DJANGO_SETTINGS_MODULE": "yellowbook.settings",
        "VAR_DIR": str(servers.var_dir),
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        # The stand-in answers prompts with an echo, which fits no schema.
        "ENRICHMENT": "off",
        "CURATION_TITLES": "templates",
        **settings,
    }
