# The service in a container. First the wheel: python -m build --wheel
FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 10001 voxplain && mkdir /data && chown voxplain /data

COPY dist/voxplain-*.whl /tmp/
# A wheel is a version:
# hadolint ignore=DL3013
RUN for wheel in /tmp/voxplain-*.whl; do pip install --no-cache-dir "${wheel}[serve]"; done \
    && rm /tmp/voxplain-*.whl

USER 10001
# Uploads lie here on their way in, without a name.
ENV TMPDIR=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz')"]

# Without keys in $VOXPLAIN_KEYS this does not start: others can reach a container.
ENTRYPOINT ["voxplain", "serve", "--host", "0.0.0.0", "--data", "/data"]
