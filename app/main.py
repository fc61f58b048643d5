"""The application: routes, errors, the page. Built from ``Services``; owns nothing that outlives it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from app import (
    alerts,
    errors,
    health,
    history,
    live,
    metrics,
    model,
    predict,
    reports,
    reviewing,
    samples,
    session,
    today,
)
from app.attempts import Attempts
from app.backlog import RecentBacklog
from app.envelope import Envelope
from app.inspecting import Inspector
from app.ports import Services

PAGE = Path(__file__).parent / "page"
_ROUTES = (predict, live, history, reviewing, alerts, today, model, samples, session, reports, health, metrics)


def create_app(services: Services) -> FastAPI:
    """The ASGI application over ``services``."""
    logging.getLogger("python_multipart").disabled = True  # it logs what callers sent; they get an answer instead

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        metrics.forget_the_dead()
        app.state.inspector = Inspector(services)
        yield

    app = FastAPI(
        title="Casting inspector", version="1", lifespan=lifespan, redirect_slashes=False, docs_url=None, redoc_url=None
    )
    app.state.services = services
    app.state.attempts = Attempts()
    app.state.backlog = RecentBacklog(services.outgoing)
    app.state.feed = live.Feed(services.outgoing)
    app.add_middleware(Envelope)
    errors.install(app)
    for module in _ROUTES:
        app.include_router(module.router)

    @app.get("/", include_in_schema=False)
    async def page(_request: Request) -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs(_request: Request) -> FileResponse:
        return FileResponse(PAGE / "docs.html", headers={"Cache-Control": "no-cache"})

    app.mount("/page", StaticFiles(directory=PAGE, check_dir=False), name="page")
    return app
