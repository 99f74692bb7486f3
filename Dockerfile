# Resurface as an image: all roles and all commands. The proxy has one of its own in proxy/.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/resurface
WORKDIR /build
COPY requirements.lock ./
RUN /opt/resurface/bin/pip install --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY flows flows
COPY storage storage
COPY clinic clinic
COPY bot bot
RUN /opt/resurface/bin/pip install --no-deps --no-build-isolation . \
    && /opt/resurface/bin/pip uninstall --yes pip

FROM python:3.13-slim
# pg_dump, pg_restore and psql, of the same PostgreSQL as the database's image.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 resurface \
    && useradd --uid 10001 --gid resurface --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin resurface \
    && install -d -o resurface -g resurface /var/lib/resurface
COPY --from=build /opt/resurface /opt/resurface
ENV PATH=/opt/resurface/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/resurface
USER 10001:10001
ENTRYPOINT ["resurface"]
CMD ["run"]
