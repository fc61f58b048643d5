"""``GET /reports``: the reports that the reporting job wrote, listed and shown."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from app.access import Reader
from app.ports import Services
from inspection.errors import NotFound

router = APIRouter(prefix="/reports", tags=["reports"])
#: A report is one page with its own styles and drawings: it runs nothing and loads nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox allow-popups"


@router.get("", summary="Reports, newest first")
async def reports(request: Request, _caller: Reader) -> dict[str, Any]:
    services: Services = request.app.state.services
    days = await run_in_threadpool(days_of, services.reports)
    return {"items": [{"date": day, "url": f"/reports/{day}"} for day in days]}


@router.get("/{day}", summary="One report as a page")
async def report(request: Request, _caller: Reader, day: str) -> FileResponse:
    services: Services = request.app.state.services
    if services.reports is None or day not in await run_in_threadpool(days_of, services.reports):
        raise NotFound("no_such_report", "There is no report of this day.")
    page = services.reports / f"date={day}" / "index.html"
    return FileResponse(page, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


def days_of(folder: Path | None) -> list[str]:
    """Days of which there is a page; only these names are ever opened."""
    if folder is None or not folder.is_dir():
        return []
    pages = folder.glob("date=*/index.html")
    return sorted((page.parent.name.removeprefix("date=") for page in pages), reverse=True)
