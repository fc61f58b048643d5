"""Handles of deployments as the application's ports: errors become the product's own, safe calls are repeated."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from inspection.errors import BadPicture, Unavailable
from inspection.judgement import Judgement
from inspection.preparing import Prepared

TRIES = 3  # judging and decoding change nothing, so a replica's death is no reason to fail the caller


class RemoteJudge:
    """Implements ``app.ports.Judge`` over the classifier deployment."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def judge(self, pixels: npt.NDArray[np.uint8], measures: npt.NDArray[np.float32]) -> Sequence[Judgement]:
        return await _call(self._handle.judge, pixels, measures)  # type: ignore[no-any-return]

    async def heatmap(
        self, pixels: npt.NDArray[np.uint8], measures: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        return await _call(self._handle.heatmap, pixels, measures)  # type: ignore[no-any-return]

    async def model_version(self) -> str:
        return await _call(self._handle.model_version)  # type: ignore[no-any-return]


class RemotePreparer:
    """Implements ``app.ports.Preparer`` over the preparer deployment."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def prepare(self, data: bytes) -> Prepared:
        answer = await _call(self._handle.prepare, data)
        if isinstance(answer, BadPicture):
            raise BadPicture(answer.code, answer.message)
        return answer  # type: ignore[no-any-return]


async def _call(method: Any, *args: Any) -> Any:
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            return await method.remote(*args)
        except (RayError, RayServeException) as error:
            if last:
                raise Unavailable("model_unavailable", "The classifier is starting again; repeat this call.") from error
    raise AssertionError("unreachable")
