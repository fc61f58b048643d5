"""``casting predict``: the client for people and scripts; it talks HTTP and nothing else."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from inspection.errors import Unavailable

CALL = 16  # pictures a call
CALL_BYTES = 48 * 1024 * 1024  # of pictures a call: the service takes 64 MiB by default


def add(app: typer.Typer) -> None:
    """Register the subcommand."""
    app.command()(predict)


def predict(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Pictures.")],
    url: Annotated[str, typer.Option(help="The service's address.")] = "http://127.0.0.1:8000",
    key: Annotated[str | None, typer.Option(help="An API key, where one is needed; default: CASTING_KEY.")] = None,
    lot: Annotated[str | None, typer.Option(help="The lot that the parts belong to.")] = None,
    line: Annotated[str | None, typer.Option(help="The line that they were inspected on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")] = False,
) -> None:
    """Send pictures to a running service and print the verdicts. Exit status 3: some could not be judged."""
    import httpx

    from app.settings import ClientSettings

    key = key or ClientSettings().key
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = {name: value for name, value in (("lot", lot), ("line", line)) if value}
    failed = 0
    try:
        with httpx.Client(
            base_url=url, headers=headers, timeout=120, transport=httpx.HTTPTransport(retries=2)
        ) as client:
            for some in _calls(files):
                for file, result in zip(some, _send(client, some, data), strict=True):
                    failed += "error" in result
                    print(
                        json.dumps({"file": str(file), **result}, ensure_ascii=False)
                        if as_json
                        else _line(file, result)
                    )
    except httpx.HTTPError as error:
        print(f"casting: {url} does not answer: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(3 if failed else 0)


def _calls(files: list[Path]) -> Iterator[list[Path]]:
    some: list[Path] = []
    size = 0
    for file in files:
        more = file.stat().st_size
        if some and (len(some) == CALL or size + more > CALL_BYTES):
            yield some
            some, size = [], 0
        some.append(file)
        size += more
    if some:
        yield some


def _send(client: Any, files: list[Path], data: dict[str, str]) -> list[dict[str, Any]]:
    parts = [("file", (file.name, file.read_bytes())) for file in files]
    answer = client.post("/predict", files=parts, data=data)
    try:
        body: dict[str, Any] = answer.json()
    except ValueError as error:
        raise Unavailable(
            "no_service", f"{client.base_url} answers {answer.status_code}, but not as this service does."
        ) from error
    results: list[dict[str, Any]] = body["results"] if "results" in body else [body] * len(files)
    return results


def _line(file: Path, result: dict[str, Any]) -> str:
    if "error" in result:
        return f"{file}: {result['error']['message']} ({result['error']['code']})"
    said = (result["verdict"], result["prediction"], f"{result['p_defect']:.3f}", *result["reasons"])
    return f"{file}: {'  '.join(said)}"
