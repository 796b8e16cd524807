# docker build -t workflow .
# docker run --rm -v workflow:/data workflow workflow run document_processing --file /data/inbox/letter.pdf
#
# The base images are arguments, for a registry or a pinned digest of your own:
#   docker build --build-arg BUILD_IMAGE=registry.example/rust:1-bookworm --build-arg RUN_IMAGE=registry.example/debian@sha256:… .
ARG BUILD_IMAGE=rust:1-bookworm
ARG PAGE_IMAGE=node:20-bookworm-slim
ARG RUN_IMAGE=debian:bookworm-slim

FROM ${PAGE_IMAGE} AS page
WORKDIR /web
COPY web .
RUN npm ci --no-audit --no-fund && npm run build

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY . .
COPY --from=page /web/build web/build
# The caches stay on the build machine: after a change only what changed is built, and nothing of them is in the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release && install -D target/release/workflow /out/workflow

FROM ${RUN_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates poppler-utils tesseract-ocr tesseract-ocr-deu tesseract-ocr-eng tesseract-ocr-osd tini util-linux \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --no-create-home workflow \
    && install -d -o workflow -g workflow /data
COPY --from=build /out/workflow /usr/local/bin/workflow
COPY LICENSE /usr/share/doc/workflow/

USER workflow
# `workflow.toml` and `.env` are looked for here.
WORKDIR /data
ENV WORKFLOW_STORAGE_PATH=/data
VOLUME /data
# Reached from outside once WORKFLOW_LISTEN=0.0.0.0:8080 and WORKFLOW_API_TOKEN are given.
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["workflow", "health"]
# tini takes in what a killed child process leaves behind.
ENTRYPOINT ["tini", "--"]
CMD ["workflow", "serve"]
