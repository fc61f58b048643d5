"""``GET /model``: the model in use and between which scores it gives which verdict."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from app.access import Reader
from app.ports import Services
from app.samples import drawn
from inspection.errors import BadPicture

router = APIRouter(tags=["inspect"])


@router.get("/model", summary="The model in use and its thresholds")
async def model(request: Request, _caller: Reader) -> dict[str, Any]:
    """As the classifier itself says of a drawn casting, which is neither numbered nor recorded."""
    services: Services = request.app.state.services
    result = (await services.judge.judge([drawn("ok-1").png()])).results[0]
    if isinstance(result, BadPicture):
        raise result
    return {"model_version": result.judgement.model_version, "thresholds": asdict(result.judgement.thresholds)}
