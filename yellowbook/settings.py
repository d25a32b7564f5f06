"""All settings of the project. Each environment variable is read once, here, and described in the README."""

from datetime import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured

from embeddings.providers import provider_names
from jobs.clean import conceal
from yellowbook import database_url, email_url, rest
from yellowbook.curation import names as curation
from yellowbook.enrichment.names import GEMINI, OFF, RULES
from yellowbook.enrichment.prompts import NEWEST, PROMPTS
from yellowbook.env import Env
from yellowbook.local.discovery import find_servers
from yellowbook.log import configure
from yellowbook.secret_key import read_or_create_secret_key
from yellowbook.unfold import shell

django_stubs_ext.monkeypatch()

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()

# --- Django -----------------------------------------------------------------------------------------------------------

#: Characters that a signing key has at least, unless DJANGO_DEBUG is on.
MIN_SECRET_KEY = 40

DEBUG = env.flag("DJANGO_DEBUG", False)
SECRET_KEY = env.text("DJANGO_SECRET_KEY", secret=True) or read_or_create_secret_key(VAR_DIR)
if not DEBUG and len(SECRET_KEY) < MIN_SECRET_KEY:
    raise ImproperlyConfigured(
        f"DJANGO_SECRET_KEY=(secret) is too weak: expected at least {MIN_SECRET_KEY} characters, e.g. from"
        " `python -c 'import secrets; print(secrets.token_urlsafe(50))'`."
    )
ALLOWED_HOSTS = env.words("DJANGO_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "yellowbook.search",
    "yellowbook.directory",
    "yellowbook.similarity",
    "yellowbook.enrichment",
    "yellowbook.catalogue",
    "yellowbook.notifications",
    "yellowbook.reminders",
    "yellowbook.recommendations",
    "yellowbook.curation",
    "embeddings",
    "jobs",
    "jobs.upkeep",
    "jobs.alerts",
    "unfold",
    "unfold.contrib.filters",
    "yellowbook.lazy_admin.LazyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_dramatiq",
    "django_filters",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    # Last: its admin replaces that of Django and knox.
    "yellowbook",
]

MIDDLEWARE = [
    "jobs.api.middleware.ProbeMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "jobs.api.middleware.OptionalSlashMiddleware",
    "jobs.api.middleware.ReadableBodyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "yellowbook.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "yellowbook.middleware.ActingUserMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "yellowbook.middleware.content_security_policy",
    "django_structlog.middlewares.RequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "yellowbook.urls"
WSGI_APPLICATION = "yellowbook.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
#: Each by its own name.
LANGUAGES = [("en", "English"), ("mn", "Монгол")]
#: One catalogue for the whole project; it also translates what unfold and others leave in English.
LOCALE_PATHS = [BASE_DIR / "yellowbook" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = ["yellowbook.formats"]
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

#: A request body beyond this is refused with 413 before it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

if not DEBUG and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("DJANGO_ALLOWED_HOSTS='*' is not safe: expected the names that clients use.")

# --- PostgreSQL and Redis ---------------------------------------------------------------------------------------------

_beside = find_servers(VAR_DIR)

DATABASE_URL = env.url("DATABASE_URL", _beside.database_url, schemes=frozenset({"postgres", "postgresql"}))
#: PostgreSQL itself, where `DATABASE_URL` leads to PgBouncer in transaction mode: for what needs a session of its own.
DATABASE_DIRECT_URL = env.url("DATABASE_DIRECT_URL", schemes=frozenset({"postgres", "postgresql"}))
DATABASES = {"default": database_url.database(DATABASE_URL, shared=bool(DATABASE_DIRECT_URL))}
#: The alias of the connection for that.
DIRECT_DATABASE = "default"
if DATABASE_DIRECT_URL:
    DIRECT_DATABASE = "direct"
    DATABASES[DIRECT_DATABASE] = {
        **database_url.database(DATABASE_DIRECT_URL, name="DATABASE_DIRECT_URL"),
        "TEST": {"MIRROR": "default"},
    }

REDIS_URL = env.redis_url(_beside.redis_url)
#: RabbitMQ, if wake-ups go through it and not through Redis, which is needed all the same: for budgets and caches.
BROKER_URL = env.url("BROKER_URL", schemes=frozenset({"amqp", "amqps"}))
if BROKER_URL and find_spec("pika") is None:
    raise ImproperlyConfigured(
        "BROKER_URL=(secret) needs the package pika, which is not installed: expected the extra rabbitmq, e.g. from"
        " `python -m pip install '.[rabbitmq]'`."
    )

# --- Embeddings -------------------------------------------------------------------------------------------------------

GEMINI_API_KEY = env.text("GEMINI_API_KEY", secret=True)
GEMINI_BASE_URL = env.url("GEMINI_BASE_URL", schemes=frozenset({"http", "https"}))
EMBEDDING_PROVIDER = env.choice("EMBEDDING_PROVIDER", "gemini" if GEMINI_API_KEY else "local", provider_names())
#: Empty means the provider's own default: `gemini-embedding-001` for Gemini.
EMBEDDING_MODEL = env.text("EMBEDDING_MODEL")
EMBEDDING_BATCH_SIZE = env.integer("EMBEDDING_BATCH_SIZE", 100, at_least=1, at_most=100)
EMBEDDING_TIMEOUT = env.seconds("EMBEDDING_TIMEOUT", 30.0, at_least=0.1)
_metered = EMBEDDING_PROVIDER != "local"
EMBEDDING_RPM = env.integer("EMBEDDING_RPM", 15 if _metered else 0)
EMBEDDING_TPM = env.integer("EMBEDDING_TPM", 30_000 if _metered else 0)
EMBEDDING_RPD = env.integer("EMBEDDING_RPD", 1_000 if _metered else 0)
#: US dollars for a million tokens; 0.15 is Google's price of gemini-embedding-001 on the paid tier.
EMBEDDING_PRICE = env.amount("EMBEDDING_PRICE", 0.15 if _metered else 0.0)
#: Share of each budget that only jobs of priority `high` may spend.
EMBEDDING_RESERVE = env.share("EMBEDDING_RESERVE", 0.05)
#: Share of each budget, part of the reserve, that no job may spend: it is for search queries.
EMBEDDING_QUERY_RESERVE = env.share("EMBEDDING_QUERY_RESERVE", min(0.02, EMBEDDING_RESERVE))
if EMBEDDING_QUERY_RESERVE > EMBEDDING_RESERVE:
    raise ImproperlyConfigured(
        f"EMBEDDING_QUERY_RESERVE={EMBEDDING_QUERY_RESERVE} is more than EMBEDDING_RESERVE={EMBEDDING_RESERVE}:"
        " expected a part of it."
    )
#: Where `embeddings` gets the texts of subjects from; see `embeddings.source.TextSource`.
EMBEDDING_SOURCE = "yellowbook.directory.embedding_source.source"

# --- Generating -------------------------------------------------------------------------------------------------------

#: A model of Gemini that answers prompts, with the same key.
LLM_MODEL = env.text("LLM_MODEL", "gemini-2.5-flash")
LLM_TIMEOUT = env.seconds("LLM_TIMEOUT", 30.0, at_least=0.1)
LLM_RPM = env.integer("LLM_RPM", 10 if GEMINI_API_KEY else 0)
LLM_TPM = env.integer("LLM_TPM", 250_000 if GEMINI_API_KEY else 0)
LLM_RPD = env.integer("LLM_RPD", 250 if GEMINI_API_KEY else 0)
#: US dollars for a million tokens of prompts and of answers; Google's prices of gemini-2.5-flash on the paid tier.
LLM_PROMPT_PRICE = env.amount("LLM_PROMPT_PRICE", 0.30 if GEMINI_API_KEY else 0.0)
LLM_ANSWER_PRICE = env.amount("LLM_ANSWER_PRICE", 2.50 if GEMINI_API_KEY else 0.0)

# --- Enrichment -------------------------------------------------------------------------------------------------------

#: Who finds tags, summaries and opening hours: a model of Gemini, rules, or nobody.
ENRICHMENT = env.choice("ENRICHMENT", GEMINI if GEMINI_API_KEY else RULES, frozenset({GEMINI, RULES, OFF}))
if ENRICHMENT == GEMINI and not GEMINI_API_KEY:
    raise ImproperlyConfigured("ENRICHMENT='gemini' needs GEMINI_API_KEY, which is not set: expected rules or off.")
#: The version of the prompt in use (`yellowbook.enrichment.prompts`).
ENRICHMENT_PROMPT = env.choice("ENRICHMENT_PROMPT", NEWEST, frozenset(PROMPTS))

# --- Search -----------------------------------------------------------------------------------------------------------

#: Seconds that a search waits for the vector of its query; then it ranks by words alone.
SEARCH_TIMEOUT = env.seconds("SEARCH_TIMEOUT", 3.0, at_least=0.1)
#: Seconds for which the answer to a query is kept, unless what it would find changes before.
SEARCH_CACHE = env.seconds("SEARCH_CACHE", 3600.0)
#: Sections of a business's public page, in order: a template and what fills it (`yellowbook.search.pages.panels`).
BUSINESS_PANELS = [
    ("public/panels/enrichment.html", "yellowbook.enrichment.panel.described"),
    ("public/panels/businesses.html", "yellowbook.similarity.panel.similar"),
]
#: The same for the home page.
HOME_PANELS = [("public/panels/collections.html", "yellowbook.curation.panel.collections_of_home")]

# --- Similar businesses -----------------------------------------------------------------------------------------------

#: Neighbours that are kept of each business.
SIMILAR_LIMIT = env.integer("SIMILAR_LIMIT", 10, at_least=1, at_most=50)
#: Days after which a list is computed anew though nothing is known to have changed.
SIMILAR_DAYS = env.integer("SIMILAR_DAYS", 7, at_least=1)

# --- Secrets ----------------------------------------------------------------------------------------------------------

# Masked in whatever they get into on its way to a row, a log or a screen.
conceal(
    SECRET_KEY,
    GEMINI_API_KEY,
    *(str(each["PASSWORD"]) for each in DATABASES.values()),
    unquote(urlsplit(REDIS_URL).password or ""),
    unquote(urlsplit(BROKER_URL).password or ""),
)

# --- Catalogues -------------------------------------------------------------------------------------------------------

#: Seconds for one page of a catalogue, redirects included; bytes of it.
CATALOGUE_TIMEOUT = env.seconds("CATALOGUE_TIMEOUT", 30.0, at_least=0.1)
CATALOGUE_PAGE_BYTES = env.integer("CATALOGUE_PAGE_BYTES", 10_485_760, at_least=1_024)
#: Whether addresses that sellers give may lead to private networks and odd ports: for sellers inside one's own network.
CATALOGUE_ALLOW_PRIVATE = env.flag("CATALOGUE_ALLOW_PRIVATE", False)
#: Whom sites can write to about our visits: an address or a page.
CATALOGUE_CONTACT = env.text("CATALOGUE_CONTACT")

# --- Reminders --------------------------------------------------------------------------------------------------------

#: Our key towards push services, and whom they can write to about it. Without them no push message is sent.
REMINDERS_VAPID_PRIVATE_KEY = env.vapid_key("REMINDERS_VAPID_PRIVATE_KEY")
REMINDERS_VAPID_SUBJECT = env.url("REMINDERS_VAPID_SUBJECT", schemes=frozenset({"https", "mailto"}))
if REMINDERS_VAPID_PRIVATE_KEY and not REMINDERS_VAPID_SUBJECT:
    raise ImproperlyConfigured(
        "REMINDERS_VAPID_PRIVATE_KEY is set but REMINDERS_VAPID_SUBJECT is not: expected whom push services can write"
        " to, e.g. mailto:admin@example.com."
    )
conceal(REMINDERS_VAPID_PRIVATE_KEY)

# --- Collections ------------------------------------------------------------------------------------------------------

#: When the collections of a day are made, UTC.
CURATION_AT = env.time_of_day("CURATION_AT", time(2, 0))
#: Collections of a surface, and businesses of a collection.
CURATION_COLLECTIONS = env.integer("CURATION_COLLECTIONS", 6, at_least=1, at_most=20)
CURATION_BUSINESSES = env.integer("CURATION_BUSINESSES", 6, at_least=1, at_most=30)
#: Who gives collections their titles: a model of Gemini, or templates.
CURATION_TITLES = env.choice(
    "CURATION_TITLES",
    curation.GEMINI if GEMINI_API_KEY else curation.TEMPLATES,
    frozenset({curation.GEMINI, curation.TEMPLATES}),
)
if CURATION_TITLES == curation.GEMINI and not GEMINI_API_KEY:
    raise ImproperlyConfigured("CURATION_TITLES='gemini' needs GEMINI_API_KEY, which is not set: expected templates.")

# --- Jobs -------------------------------------------------------------------------------------------------------------

JOB_CONCURRENCY = env.integer("JOB_CONCURRENCY", 5, at_least=1, at_most=100)
JOB_TIMEOUT = env.seconds("JOB_TIMEOUT", 300.0)
JOB_LEASE = env.seconds("JOB_LEASE", 300.0)
WORKER_HEARTBEAT = env.seconds("WORKER_HEARTBEAT", 10.0)
SHUTDOWN_GRACE = env.seconds("SHUTDOWN_GRACE", 30.0)
#: MiB of memory of one worker process; 0: the container's limit, or the machine's memory.
WORKER_MEMORY_LIMIT = env.integer("WORKER_MEMORY_LIMIT", 0)
#: Seconds that a worker waits at its start for a database that is away.
START_PATIENCE = env.seconds("START_PATIENCE", 60.0)

#: Days for which rows are kept; 0: for ever. Dead letters that nobody has settled always are.
RETENTION_JOBS_DAYS = env.integer("RETENTION_JOBS_DAYS", 30)
RETENTION_DEAD_LETTERS_DAYS = env.integer("RETENTION_DEAD_LETTERS_DAYS", 90)
RETENTION_RUNS_DAYS = env.integer("RETENTION_RUNS_DAYS", 180)
RETENTION_WORKERS_DAYS = env.integer("RETENTION_WORKERS_DAYS", 7)
RETENTION_DELIVERIES_DAYS = env.integer("RETENTION_DELIVERIES_DAYS", 30)
RETENTION_SYNCS_DAYS = env.integer("RETENTION_SYNCS_DAYS", 90)
RETENTION_COLLECTIONS_DAYS = env.integer("RETENTION_COLLECTIONS_DAYS", 30)

DRAMATIQ_BROKER: dict[str, Any] = {
    "BROKER": "jobs.broker.rabbitmq.WakeBroker" if BROKER_URL else "jobs.broker.redis.WakeBroker",
    "OPTIONS": {"url": BROKER_URL} if BROKER_URL else {},
    # Those that need models are added by `jobs.actors`, once the apps are loaded.
    "MIDDLEWARE": [
        "dramatiq.middleware.TimeLimit",
        "django_dramatiq.middleware.DbConnectionsMiddleware",
        "jobs.middleware.parent_death.ParentDeath",
    ],
}

# --- Alerts -----------------------------------------------------------------------------------------------------------

ALERT_DEAD_LETTERS = env.integer("ALERT_DEAD_LETTERS", 50)
ALERT_WAITING_JOBS = env.integer("ALERT_WAITING_JOBS", 1_000)
ALERT_OLDEST_WAITING = env.seconds("ALERT_OLDEST_WAITING", 900.0)
ALERT_FAILURE_RATE = env.share("ALERT_FAILURE_RATE", 0.05)
ALERT_WORKER_LOST_WINDOW = env.seconds("ALERT_WORKER_LOST_WINDOW", 900.0)
ALERT_BUDGET_SHARE = env.share("ALERT_BUDGET_SHARE", 0.8)
ALERT_DISK_SHARE = env.share("ALERT_DISK_SHARE", 0.9)
#: In MiB; 0: not watched.
ALERT_DATABASE_SIZE = env.integer("ALERT_DATABASE_SIZE", 10_240)
ALERT_COOLDOWN = env.seconds("ALERT_COOLDOWN", 3600.0, at_least=1.0)

#: Where people reach the site from outside; links in messages begin with it.
PUBLIC_URL = env.url("PUBLIC_URL", schemes=frozenset({"http", "https"}))
_email = env.email_url("EMAIL_URL")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email.get("EMAIL_HOST", "")
EMAIL_PORT = _email.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = _email.get("EMAIL_TIMEOUT", 10)
DEFAULT_FROM_EMAIL = _email.get("DEFAULT_FROM_EMAIL", "yellowbook@localhost")
ALERT_EMAIL = env.addresses("ALERT_EMAIL")
if ALERT_EMAIL and _email == email_url.OFF:
    raise ImproperlyConfigured(f"ALERT_EMAIL is set but EMAIL_URL is not: expected {email_url.EXPECTED}.")
ALERT_WEBHOOK_URL = env.url("ALERT_WEBHOOK_URL", schemes=frozenset({"http", "https"}))
ALERT_WEBHOOK_SECRET = env.webhook_secret("ALERT_WEBHOOK_SECRET")
if ALERT_WEBHOOK_URL and not ALERT_WEBHOOK_SECRET:
    raise ImproperlyConfigured(
        "ALERT_WEBHOOK_URL is set but ALERT_WEBHOOK_SECRET is not: expected a key, e.g. from `python3 -c"
        " 'import base64, secrets; print(\"whsec_\" + base64.b64encode(secrets.token_bytes(32)).decode())'`."
    )

# --- Web and API ------------------------------------------------------------------------------------------------------

CACHES = {
    "default": {
        "BACKEND": "jobs.cache.Cache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "yellowbook",
    },
}

REST_FRAMEWORK = rest.FRAMEWORK
REST_KNOX = {"TOKEN_TTL": None}
SPECTACULAR_SETTINGS = rest.SCHEMA

APPEND_SLASH = True
SESSION_COOKIE_HTTPONLY = True
#: Behind a proxy that ends TLS and sets X-Forwarded-Proto: trusts that header and keeps cookies off plain HTTP.
BEHIND_TLS_PROXY = env.flag("DJANGO_BEHIND_TLS_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_TLS_PROXY
#: A choice of language is kept for a year, in seconds.
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS_PROXY else 0
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# --- Logs -------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", frozenset({"DEBUG", "INFO", "WARNING", "ERROR"}))
LOGGING = configure(level=LOG_LEVEL)

# --- Admin ------------------------------------------------------------------------------------------------------------

UNFOLD = shell(LANGUAGES)
