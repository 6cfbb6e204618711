# midiopt without a compiler or root in the image that runs:
#   docker build -t midiopt .
#   docker run --rm -u "$(id -u):$(id -g)" -v ~/Music/midi:/midi:ro -v "$PWD":/data midiopt analyze /midi
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
# The slim image has no compiler. Its version is that of the Debian release, which the tag names.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[postgres,zstd,browse]'

FROM python:3.13-slim-bookworm
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index /wheels/*.whl \
    && useradd --uid 1000 --no-create-home midiopt \
    && install -d -o 1000 /data
USER 1000
WORKDIR /data
VOLUME /data
ENTRYPOINT ["midiopt"]
CMD ["help"]
