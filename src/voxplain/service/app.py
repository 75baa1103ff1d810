"""The application: routes, what lies around every request, and what runs beside them."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from voxplain import __version__
from voxplain.pipeline import load
from voxplain.service import documents, page, stream, work
from voxplain.service.access import Access
from voxplain.service.jobs import Jobs
from voxplain.service.logs import RequestLog
from voxplain.service.metrics import Metrics
from voxplain.service.problems import handle_problems
from voxplain.service.routes import analysis, jobs, operations
from voxplain.service.settings import Settings
from voxplain.service.state import State
from voxplain.service.uploads import BodyLimit
from voxplain.service.workers import Workers

__all__ = ["create_app"]


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application, which works while its lifespan runs.

    That raises what ``work.prepare`` raises, and ConfigError or OutputError for the data folder.
    """
    metrics = Metrics()
    threads = ThreadPoolExecutor(settings.workers, "stream")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        prepare = functools.partial(work.prepare, settings.model)
        workers = Workers(settings.workers, concurrency=settings.concurrency, prepare=prepare)
        several = settings.job_workers
        job_workers = Workers(several, concurrency=several, prepare=prepare)
        queue = Jobs(settings, job_workers, metrics)
        app.state.service = State(settings, workers, job_workers, queue, metrics)
        async with workers.running(), job_workers.running(), queue.running():
            yield
        threads.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(
        title="voxplain",
        version=__version__,
        description=documents.ABOUT,
        lifespan=lifespan,
        docs_url=None,  # they load their script from elsewhere
        redoc_url=None,
    )
    for router in (analysis.router, jobs.router, operations.router, page.router):
        app.include_router(router)
    analyzer = functools.cache(functools.partial(load, settings.model))
    limits = stream.Limits(sessions=settings.streams)
    app.include_router(stream.router(analyzer, executor=threads, limits=limits))
    handle_problems(app)
    documents.describe(app, keys=bool(settings.keys))

    def most(path: str) -> int:
        return settings.max_job_bytes if path == "/v1/jobs" else settings.max_bytes

    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, most=most, seconds=settings.upload_timeout)
    app.add_middleware(Access, keys=settings.keys, rate=settings.rate)
    if settings.hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts)
    app.add_middleware(RequestLog, metrics=metrics)
    return app
