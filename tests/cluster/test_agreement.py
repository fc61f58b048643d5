"""Compose file, manifests, image and code name the same things."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.manifests import ROOT, manifests
from tests.docs.settings import FIELDS

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {"secrets", "owners"}
SETTINGS = next(m for m in manifests("k8s") if m.kind == "ConfigMap" and m.name == "casting-settings").content["data"]


def test_settings_are_known_to_the_code() -> None:
    known = {f"CASTING_{name.upper()}" for fields in FIELDS.values() for name in fields}
    image = [word.split("=")[0] for word in (ROOT / "Dockerfile").read_text().split() if word.startswith("CASTING_")]
    compose = [name for service in SERVICES.values() for name in service.get("environment", {})]
    used = {name for name in (*SETTINGS, *compose, *image) if name.startswith("CASTING_")}
    assert used - known - {"CASTING_SITE"} == set()


def test_compose_and_cluster_use_the_same_line() -> None:
    used = {name: value for name, value in SERVICES["api"]["environment"].items() if name != "CASTING_OPEN"}
    used["CASTING_TIMEZONE"] = used["CASTING_TIMEZONE"].split(":-")[1].rstrip("}")
    assert used == SETTINGS


def test_the_page_shows_the_reports_that_compose_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    from deployments.settings import Settings

    monkeypatch.setenv("CASTING_DATA_DIR", "/data")
    for name, value in SERVICES["api"]["environment"].items():
        monkeypatch.setenv(name, value)
    shown = Settings().reports
    (command,) = SERVICES["report"]["command"]
    assert f"casting report --out {shown};" in command
    for service in ("api", "report"):
        assert f"reports:{shown}" in SERVICES[service]["volumes"]


@pytest.mark.parametrize("name", ["core-site.xml", "hdfs-site.xml", "log4j.properties"])
def test_compose_and_cluster_configure_hdfs_alike(name: str) -> None:
    cluster = next(m for m in manifests("k8s") if m.kind == "ConfigMap" and m.name == "hdfs").content["data"]
    assert cluster[name] == (ROOT / "deploy/hdfs" / name).read_text()


def test_compose_and_cluster_use_the_same_images() -> None:
    compose = {service["image"].split(":-")[-1].rstrip("}") for service in SERVICES.values()}
    cluster = set()
    for manifest in manifests("k8s"):
        for document in _images(manifest.content):
            cluster.add(document)
    assert cluster <= compose


def _images(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["image"]] if isinstance(node.get("image"), str) else []
        return own + [image for value in node.values() for image in _images(value)]
    return [image for value in node for image in _images(value)] if isinstance(node, list) else []


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_memory_is_limited_and_logs_are_bounded(name: str) -> None:
    assert SERVICES[name]["mem_limit"]
    assert SERVICES[name]["logging"]["options"]["max-size"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_no_password_stands_in_the_compose_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not ("PASSWORD" in name and not name.endswith("FILE")), name
            user, at, _ = str(value).partition("://")[2].partition("@")
            assert not (at and ":" in user), value


def test_the_names_of_the_original_system_are_kept() -> None:
    assert SERVICES["api"]["image"] == "casting-product-api:latest"
    assert SERVICES["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert SERVICES["hdfs_consumer"]["command"] == ["consume"]


@pytest.mark.filterwarnings("ignore:Using extra keyword arguments on `Field`:DeprecationWarning")  # Ray's own
def test_ray_serve_understands_the_serve_config() -> None:
    from ray.serve.schema import ServeDeploySchema

    from deployments.inspection import Args

    service = next(m for m in manifests("kuberay") if m.kind == "RayService").content["spec"]
    config = ServeDeploySchema.model_validate(yaml.safe_load(service["serveConfigV2"]))
    (application,) = config.applications
    Args.model_validate(application.args)
    module, _, function = application.import_path.partition(":")
    assert callable(getattr(__import__(module, fromlist=[function]), function))
    assert {deployment.name for deployment in application.deployments} == {"ingress", "classifier", "relay"}


def test_ray_s_version_is_the_locked_one() -> None:
    locked = next(
        line.split()[0].partition("==")[2]
        for line in (ROOT / "requirements/image.txt").read_text().splitlines()
        if line.startswith("ray==")
    )
    text = "".join(path.read_text() for path in (ROOT / "kuberay").glob("*.yaml"))
    assert text.count("rayVersion:") == text.count(f'rayVersion: "{locked}"') == 4


def test_ray_is_told_the_same_on_kuberay_and_by_casting_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deployments.environment import for_ray
    from deployments.settings import Settings

    monkeypatch.setenv("CASTING_DATA_DIR", str(tmp_path))
    here = for_ray(Settings())
    service = next(m for m in manifests("kuberay") if m.kind == "RayService").content
    head = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    there = {entry["name"]: entry["value"] for entry in head["env"]}
    both = there.keys() & here.keys() - {"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S"}  # pods may take longer to drain
    assert "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH" in both
    assert {name: there[name] for name in both} == {name: here[name] for name in both}
