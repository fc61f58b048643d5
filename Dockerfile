# One file, three images: the service (default), `--target report` (Spark and Java), `--target full` (also training);
# `--target sbom` lists what is inside.
#   docker build -t casting-product-api:latest .
# Closed networks name their own mirror: --build-arg PYTHON_IMAGE=… --build-arg PIP_INDEX_URL=…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
# wget: KubeRay's probes call it in every Ray container. The user has a name, because Hadoop's client asks for one.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wget >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log \
 && groupadd --gid 10001 casting \
 && useradd --uid 10001 --gid 10001 --home-dir /data --shell /bin/bash casting \
 && install -d -o 10001 -g 10001 /data /data/reports \
 && printf '#!/opt/venv/bin/python\nfrom cli import main\n\nmain()\n' >/usr/local/bin/casting \
 && chmod 755 /usr/local/bin/casting \
 # A login shell forgets PATH, and KubeRay starts Ray in one.
 && echo 'PATH=/opt/venv/bin:$PATH' >/etc/profile.d/casting.sh
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RAY_USAGE_STATS_ENABLED=0 \
    MPLCONFIGDIR=/tmp/matplotlib \
    CASTING_HOST=0.0.0.0 \
    CASTING_DATA_DIR=/data \
    CASTING_MODELS=/app/models

# Everything by hash from the lock, also what builds the few packages that come as source: two builds are alike.
FROM base AS builder
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/image.txt /lock/
RUN python -m venv /opt/venv \
 && sed -n '/^setuptools==/,/[^\\]$/p' /lock/image.txt >/lock/build.txt \
 && pip install -q --require-hashes -r /lock/build.txt \
 && pip install -q --require-hashes --no-build-isolation -r /lock/image.txt

FROM base AS serve
COPY --from=builder /opt/venv /opt/venv
COPY . /app
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=6 \
  CMD wget -q -O /dev/null "http://127.0.0.1:${CASTING_PORT:-8000}/health/ready" || exit 1
ENTRYPOINT ["casting"]
CMD ["serve"]

FROM base AS java
# The folder is missing in slim images, and the package's scripts want it.
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless procps >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log
WORKDIR /data
VOLUME /data
ENTRYPOINT ["casting"]

FROM builder AS report-builder
COPY requirements/report.txt /lock/
RUN pip install -q --require-hashes --no-build-isolation -r /lock/report.txt

FROM java AS report
COPY --from=report-builder /opt/venv /opt/venv
COPY . /app
USER 10001:10001
CMD ["report"]

FROM report-builder AS full-builder
COPY requirements/full.txt /lock/
RUN pip install -q --require-hashes --no-build-isolation -r /lock/full.txt

FROM java AS full
COPY --from=full-builder /opt/venv /opt/venv
COPY . /app
USER 10001:10001
CMD ["--help"]

# What is in the service's image, with licences (CycloneDX) and Debian's packages:  docker build --target sbom --output var/sbom .
FROM builder AS sbom-builder
COPY requirements/sbom.txt /lock/
RUN python -m venv /opt/sbom \
 && /opt/sbom/bin/pip install -q --require-hashes -r /lock/sbom.txt \
 && mkdir /sbom \
 && /opt/sbom/bin/cyclonedx-py environment --output-reproducible -o /sbom/python.cdx.json /opt/venv/bin/python \
 && dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' >/sbom/debian.txt

FROM scratch AS sbom
COPY --from=sbom-builder /sbom /

# What `docker build .` makes. (BuildKit, the default since Docker 23, builds nothing that this doesn't need.)
FROM serve
