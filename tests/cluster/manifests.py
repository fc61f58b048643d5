"""The manifests and schemas as the tests read them; knows files and JSON Schema, nothing of what is right."""

import copy
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "tests" / "schemas"
KUBERNETES = ("kubernetes-1.33.13",)
KUBERAY = ("kuberay-1.6.2", "kuberay-1.7.0")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of one file."""

    file: str
    content: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.content["kind"])

    @property
    def name(self) -> str:
        return str(self.content["metadata"]["name"])

    def __str__(self) -> str:
        return f"{self.file}:{self.kind}/{self.name}"


def manifests(*folders: str) -> list[Manifest]:
    """Every document of every YAML file of ``folders``; kustomize's own files are none."""
    paths = [path for folder in folders or ("k8s", "kuberay") for path in sorted((ROOT / folder).glob("*.yaml"))]
    return [
        Manifest(str(path.relative_to(ROOT)), content)
        for path in paths
        for content in yaml.safe_load_all(path.read_text())
    ]


def faults(content: dict[str, Any], release: str) -> list[str]:
    """What the API server of ``release`` would refuse, as short texts. Unknown fields are refused too."""
    known = json.loads(gzip.decompress((SCHEMAS / f"{release}.json.gz").read_bytes()))
    said = f"{content['apiVersion']}/{content['kind']}"
    if said not in known["kinds"]:
        return [f"{release} has no {said}"]
    components = {name: strict(schema) for name, schema in known["components"]["schemas"].items()}
    schema = {"$ref": f"#/components/schemas/{known['kinds'][said]}", "components": {"schemas": components}}
    checked = json.loads(json.dumps(content))
    return [
        f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(checked)
    ]


def strict(node: Any) -> Any:
    """The schema with unknown fields refused and with integer-or-string said in plain JSON Schema."""
    if isinstance(node, list):
        return [strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: strict(value) for key, value in node.items()}
    if node.get("x-kubernetes-int-or-string") or node.get("format") == "int-or-string":
        return {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    if (
        "properties" in node
        and "additionalProperties" not in node
        and not node.get("x-kubernetes-preserve-unknown-fields")
    ):
        made["additionalProperties"] = False
        made["properties"].setdefault("apiVersion", {"type": "string"})
        made["properties"].setdefault("kind", {"type": "string"})
    return made


def pods(manifest: Manifest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod template in ``manifest``, with a name: its labels stand under ``metadata``, the rest under ``spec``."""
    spec = manifest.content.get("spec", {})
    cluster = (
        spec.get("rayClusterConfig") or spec.get("rayClusterSpec") or (spec if manifest.kind == "RayCluster" else None)
    )
    if cluster:
        yield f"{manifest} head", cluster["headGroupSpec"]["template"]
        for group in cluster["workerGroupSpecs"]:
            yield f"{manifest} {group['groupName']}", group["template"]
    elif manifest.kind == "CronJob":
        yield str(manifest), spec["jobTemplate"]["spec"]["template"]
    elif "template" in spec:
        yield str(manifest), spec["template"]


def changed(manifest: Manifest, path: str, value: object) -> dict[str, Any]:
    """A copy of the document with the field at ``path`` (dots between names and numbers) set to ``value``."""
    content = copy.deepcopy(manifest.content)
    node: Any = content
    *way, last = path.split(".")
    for step in way:
        node = node[int(step)] if step.isdigit() else node[step]
    node[last] = value
    return content
