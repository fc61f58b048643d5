"""The Serve application: ``serve run deployments.inspection:build``, or ``casting serve``.

Ingress (HTTP, page, micro-batches, ledger) → classifier (decoding, network); relay beside them. With
``prepare=apart`` a preparer stands between the two and decodes.
"""

from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from app.main import create_app
from app.ports import Limits, Services
from deployments.carrying import RelayDeployment
from deployments.classifier import JUDGES, ClassifierDeployment
from deployments.preparer import PreparerDeployment
from deployments.remote import RemoteJudge
from deployments.settings import CPUS, Settings
from deployments.words import speak
from ledger import Ledger

BATCHES_A_CLASSIFIER = JUDGES + 1  # one is on its way while the others are judged
_log = structlog.get_logger(__name__)


class Args(BaseModel):
    """Arguments of the builder, as in `serve run … prepare=apart`; what is not given comes from the settings."""

    model_config = ConfigDict(extra="forbid")

    prepare: str | None = None
    ingress_replicas: int | None = None
    classifier_replicas: int | None = None
    preparer_replicas: int | None = None


@serve.deployment(
    name="ingress",
    max_ongoing_requests=1024,
    health_check_period_s=2,
    health_check_timeout_s=10,
    graceful_shutdown_timeout_s=20,
)
@serve.ingress()
class IngressDeployment:
    """One writer process with a journal of its own."""

    def __init__(
        self,
        settings: Settings,
        classifier: DeploymentHandle,
        relay: DeploymentHandle,
        preparer: DeploymentHandle | None,
    ) -> None:
        speak()
        del relay  # bound only so that the application includes it
        self._settings = settings
        self._ledger = Ledger.open(settings.ledger_url)
        self._recorder = self._ledger.recorder(settings.second_look)
        self._judge = RemoteJudge(classifier, preparer)

    def __serve_build_asgi_app__(self) -> Any:
        return create_app(
            Services(
                judge=self._judge,
                recorder=self._recorder,
                records=self._ledger.records,
                outgoing=self._ledger.outbox,
                keys=self._ledger.keys,
                limits=_limits(self._settings),
                open_access=self._settings.on_loopback or self._settings.open,
                local=self._settings.on_loopback,
                reports=self._settings.reports,
            )
        )

    def __del__(self) -> None:
        self._recorder.close()
        self._ledger.close()


def build(args: Args) -> Application:
    """The application as the settings and ``args`` say."""
    given = {name: value for name, value in args.model_dump().items() if value is not None}
    return compose(Settings(**given))


def compose(settings: Settings) -> Application:
    """Bind the deployments to each other."""
    if settings.open and not settings.on_loopback:
        _log.warning("keys_waived", host=settings.host, reason="CASTING_OPEN is set")
    max_pixels = settings.max_megapixels * 1_000_000
    classifier = _following(
        settings, _scaled(ClassifierDeployment, settings.classifier_replicas, CPUS["classifier"])
    ).bind(str(settings.models.absolute()), max_pixels)
    relay = _scaled(RelayDeployment, 1, CPUS["relay"]).bind(settings)
    preparer = None
    if settings.prepare == "apart":
        preparer = _scaled(PreparerDeployment, settings.preparer_replicas, CPUS["preparer"]).bind(
            classifier, max_pixels
        )
    return _scaled(IngressDeployment, settings.ingress_replicas, CPUS["ingress"]).bind(
        settings, classifier, relay, preparer
    )


def _scaled(deployment: Any, replicas: int, cpus: float) -> Any:
    return deployment.options(
        num_replicas=replicas,
        ray_actor_options={"num_cpus": cpus},
        # Serve formats a line for each call even where it is then filtered out; from this level on it doesn't.
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )


def _following(settings: Settings, classifier: Any) -> Any:
    """Let the classifier's replicas follow what waits, where more are allowed than there are at least.

    The ingress has up to four batches under way for each replica that there may be. While pictures wait all of them
    are, and Serve adds replicas; where one batch at a time is enough, it takes them away. So pictures that wait decide,
    not processor load, which is as high with one caller as with a hundred. Ingress replicas are writers with a journal
    each: their number is for an operator to choose.
    """
    if settings.most_classifiers == settings.classifier_replicas:
        return classifier
    return classifier.options(
        num_replicas=None,
        autoscaling_config={
            "min_replicas": settings.classifier_replicas,
            "max_replicas": settings.most_classifiers,
            "target_ongoing_requests": 1,  # batches: one is judged, none waits
            "upscale_delay_s": settings.scale_up_seconds,
            "downscale_delay_s": settings.scale_down_seconds,
            "look_back_period_s": settings.scale_up_seconds,
            "metrics_interval_s": min(1.0, settings.scale_up_seconds),
        },
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_files=settings.max_files,
        max_body_bytes=settings.max_body_mib * 1024 * 1024,
        max_held_bytes=settings.max_held_mib * 1024 * 1024,
        max_waiting=settings.max_waiting,
        max_batch=settings.max_batch,
        max_batches=BATCHES_A_CLASSIFIER * settings.most_classifiers + settings.preparers,
        eager_batches=settings.most_classifiers,
        deadline_seconds=settings.deadline_seconds,
        audit_sample=settings.audit_sample,
    )
