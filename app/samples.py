"""Drawn castings to try the page with; labelled as drawn."""

from functools import cache
from typing import Any

from fastapi import APIRouter, Response

from app.access import Allowed
from drawing.castings import Casting, Kind, draw
from inspection.errors import NotFound
from inspection.judgement import DEF_FRONT, OK_FRONT

router = APIRouter(prefix="/samples", tags=["samples"])
_SAMPLES: dict[str, tuple[int, Kind]] = {
    "ok-1": (11, "ok"),
    "ok-2": (12, "ok"),
    "blow-hole": (13, "blow_hole"),
    "crack": (14, "crack"),
    "scratch": (15, "scratch"),
    "broken-rim": (16, "broken_rim"),
}


@cache
def drawn(name: str) -> Casting:
    """One of the drawn castings."""
    return draw(*_SAMPLES[name])


@router.get("", summary="Drawn castings")
async def samples(_caller: Allowed) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "url": f"/samples/{name}.png",
            "kind": kind,
            "label": OK_FRONT if kind == "ok" else DEF_FRONT,
        }
        for name, (_, kind) in _SAMPLES.items()
    ]


@router.get("/{name}.png", summary="One drawn casting")
def sample(_caller: Allowed, name: str) -> Response:
    if name not in _SAMPLES:
        raise NotFound("no_such_sample", "There is no such sample.")
    return Response(drawn(name).png(), media_type="image/png", headers={"Cache-Control": "max-age=86400"})
