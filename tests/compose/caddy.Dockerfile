# For machines that reach no registry: Caddy from Debian, where the proxy's image finds what it needs.
FROM python:3.13-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends caddy wget \
    && rm -rf /var/lib/apt/lists/*
