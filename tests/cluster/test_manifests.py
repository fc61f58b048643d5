"""Every manifest against the schemas of Kubernetes 1.33 and KubeRay 1.6 and 1.7, and against what the line promises."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.manifests import KUBERAY, KUBERNETES, ROOT, Manifest, changed, faults, manifests, pods

ALL = manifests()
PODS = [pytest.param(pod, id=name) for one in ALL for name, pod in pods(one)]
LOCAL = {"casting-product-api:latest", "casting-report:latest", "casting-full:latest"}


def releases(manifest: Manifest) -> tuple[str, ...]:
    return KUBERAY if str(manifest.content["apiVersion"]).startswith("ray.io") else KUBERNETES


def one(kind: str, name: str) -> Manifest:
    return next(m for m in ALL if (m.kind, m.name) == (kind, name))


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]


@pytest.mark.parametrize(("manifest", "release"), [pytest.param(m, r, id=f"{m} {r}") for m in ALL for r in releases(m)])
def test_it_is_what_the_api_server_takes(manifest: Manifest, release: str) -> None:
    assert faults(manifest.content, release) == []


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Deployment", "casting-api", "spec.replicas", "two"),
        ("Deployment", "casting-api", "spec.template.spec.containers.0.imagePullPolice", "Never"),
        ("Service", "casting-api-service", "spec.ports.0.nodePort", "high"),
        ("CronJob", "report", "spec.jobTemplate.spec.activeDeadlineSecond", 3),
        ("RayService", "casting", "spec.rayClusterConfig.autoscalerOptions.version", "v3"),
        ("RayService", "casting", "spec.rayClusterConfig.workerGroupSpecs.0.minReplica", 1),
        ("RayJob", "casting-train", "spec.backoffLimit", "often"),
    ],
)
def test_a_fault_is_found(kind: str, name: str, path: str, value: object) -> None:
    manifest = one(kind, name)
    for release in releases(manifest):
        assert faults(changed(manifest, path, value), release) != []


@pytest.mark.parametrize("manifest", ALL, ids=str)
def test_it_stays_in_its_namespace(manifest: Manifest) -> None:
    assert manifest.kind == "Namespace" or manifest.content["metadata"]["namespace"] == "casting"


@pytest.mark.parametrize("pod", PODS)
def test_the_pod_passes_restricted(pod: dict[str, Any]) -> None:
    whole = pod["spec"]["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert whole["runAsUser"] > 0
    assert whole["seccompProfile"]["type"] == "RuntimeDefault"
    for container in containers(pod):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]


@pytest.mark.parametrize("pod", PODS)
def test_the_pod_says_what_it_needs_and_gets_no_more(pod: dict[str, Any]) -> None:
    assert pod["spec"]["enableServiceLinks"] is False
    assert pod["spec"]["automountServiceAccountToken"] is False or "ray-head" in str(pod)
    for container in containers(pod):
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("pod", PODS)
def test_its_images_have_versions(pod: dict[str, Any]) -> None:
    for container in containers(pod):
        image = container["image"]
        assert image in LOCAL or re.search(r":v?\d+\.\d+", image), image
        assert container["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize("manifest", [m for m in ALL if m.kind in ("Deployment", "StatefulSet")], ids=str)
def test_what_runs_for_long_is_probed(manifest: Manifest) -> None:
    for container in manifest.content["spec"]["template"]["spec"]["containers"]:
        assert {"readinessProbe", "livenessProbe"} <= set(container)


@pytest.mark.parametrize("manifest", [m for m in ALL if m.kind in ("Deployment", "StatefulSet")], ids=str)
def test_what_is_ruled_by_an_autoscaler_names_no_replicas(manifest: Manifest) -> None:
    scaled = {m.content["spec"]["scaleTargetRef"]["name"] for m in ALL if m.kind == "HorizontalPodAutoscaler"}
    assert (manifest.name in scaled) == ("replicas" not in manifest.content["spec"])


def test_deployment_and_ray_workers_answer_behind_the_one_service() -> None:
    service = one("Service", "casting-api-service").content["spec"]
    assert (service["type"], service["ports"][0]["nodePort"]) == ("NodePort", 30007)
    chosen = service["selector"].items()
    answering = {name for m in ALL for name, pod in pods(m) if chosen <= pod["metadata"]["labels"].items()}
    assert answering == {
        "k8s/40-api.yaml:Deployment/casting-api",
        "kuberay/rayservice.yaml:RayService/casting cpu",
        "kuberay/rayservice.yaml:RayService/casting gpu",
    }


def test_the_budget_and_the_autoscaler_do_not_count_ray_workers() -> None:
    labels = dict(next(pods(one("RayService", "casting")))[1]["metadata"]["labels"])
    for kind in ("PodDisruptionBudget", "Deployment"):
        selector = one(kind, "casting-api").content["spec"]["selector"]["matchLabels"]
        assert not selector.items() <= labels.items()


@pytest.mark.parametrize("pod", PODS)
def test_network_policies_know_the_pod(pod: dict[str, Any]) -> None:
    labels = pod["metadata"]["labels"]
    policies = [m.content["spec"]["podSelector"] for m in ALL if m.kind == "NetworkPolicy"]
    named = [p for p in policies if p and selects(p, labels)]
    assert {} in policies, "nothing is denied by default"
    assert named, labels


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    plain = selector.get("matchLabels", {}).items() <= labels.items()
    return plain and all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", ()))


def test_kustomize_takes_what_apply_takes() -> None:
    listed = yaml.safe_load((ROOT / "k8s/Kustomization").read_text())["resources"]
    assert listed == sorted(path.name for path in (ROOT / "k8s").glob("*.yaml"))
    assert not list((ROOT / "k8s").glob("[kK]ustomization.y*ml")), "kubectl apply -f k8s/ would trip over it"


OVERLAYS = {"local": "k8s", "production": "k8s", "production-kuberay": "kuberay"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlays_change_what_is_there(overlay: str) -> None:
    written = yaml.safe_load((ROOT / "deploy" / overlay / "kustomization.yaml").read_text())
    for patch in written["patches"]:
        targets = [m for m in ALL if m.file.startswith(f"{OVERLAYS[overlay]}/") and fits(patch["target"], m)]
        assert targets, patch["target"]
        for change in yaml.safe_load(patch["patch"]):
            if change["op"] == "replace" and not change["path"].endswith("/replicas"):
                assert all(there(m.content, change["path"]) for m in targets), change


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kustomize comes with kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlays_are_what_the_api_server_takes(overlay: str, tmp_path: Path) -> None:
    for folder in ("k8s", "kuberay", "deploy"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for page in (tmp_path / "deploy").glob("*/secrets/README.md"):
        for name in re.findall(r"> ([a-z-]+)", page.read_text()):
            (page.parent / name).write_text("a secret of its own")
    done = subprocess.run(["kubectl", "kustomize", tmp_path / "deploy" / overlay], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = [Manifest(overlay, content) for content in yaml.safe_load_all(done.stdout)]
    assert [fault for m in made for release in releases(m) for fault in faults(m.content, release)] == []
    if overlay != "local":
        assert not re.search("example[_-]|: example|stringData|:latest", done.stdout)
    if overlay == "production":
        assert done.stdout.count("name: HDFS_COPIES") == 2, "both daemons know of three copies"


def fits(target: dict[str, str], manifest: Manifest) -> bool:
    return target["kind"] == manifest.kind and re.fullmatch(target.get("name", ".*"), manifest.name) is not None


def there(node: Any, path: str) -> bool:
    for step in path.strip("/").split("/"):
        try:
            node = node[int(step) if isinstance(node, list) else step]
        except (KeyError, IndexError):
            return False
    return True
