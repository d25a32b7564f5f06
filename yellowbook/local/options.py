"""What `make run` takes from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from yellowbook.env import Env

#: The checkout.
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Options:
    """The settings of one machine; an empty URL asks for an embedded server, port 0 for a free one."""

    var_dir: Path
    port: int
    workers: int
    shutdown_grace: float
    database_url: str
    redis_url: str


def read_options(source: Mapping[str, str] | None = None) -> Options:
    """Read them, by default from the process environment; raise `ImproperlyConfigured` for a wrong value."""
    env = Env(source)
    # Read by `manage.py bootstrap`; here only so that a wrong value is told before anything starts.
    env.flag("SAMPLE_DATA", True)
    return Options(
        var_dir=Path(env.text("VAR_DIR", str(ROOT / "var"))).resolve(),
        port=env.integer("PORT", 0, at_least=1, at_most=65535),
        workers=env.integer("WORKERS", 1, at_least=1, at_most=64),
        shutdown_grace=env.seconds("SHUTDOWN_GRACE", 30.0),
        database_url=env.url("DATABASE_URL", schemes=frozenset({"postgres", "postgresql"})),
        redis_url=env.redis_url(),
    )
