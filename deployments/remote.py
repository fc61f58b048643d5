"""Handles of deployments as the application's ports: errors become the product's own, safe calls are repeated."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from inspection.batch import Batch
from inspection.errors import BadPicture, Unavailable

TRIES = 3  # judging changes nothing, so a replica's death is no reason to fail the caller


class RemoteJudge:
    """Implements ``app.ports.Judge`` over the classifier deployment, where there is one by way of the preparer."""

    def __init__(self, classifier: DeploymentHandle, preparer: DeploymentHandle | None) -> None:
        self._classifier = classifier
        self._judging = preparer or classifier

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        return await _call(self._judging.judge, pictures)  # type: ignore[no-any-return]

    async def heatmap(self, picture: bytes) -> npt.NDArray[np.float32]:
        heat = await _call(self._classifier.heatmap, picture)
        if isinstance(heat, BadPicture):
            raise heat
        return heat  # type: ignore[no-any-return]

    async def model_version(self) -> str:
        return await _call(self._classifier.model_version)  # type: ignore[no-any-return]


async def _call(method: Any, *args: Any) -> Any:
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            return await method.remote(*args)
        except (RayError, RayServeException) as error:
            if last:
                raise Unavailable("model_unavailable", "The classifier is starting again; repeat this call.") from error
    raise AssertionError("unreachable")
