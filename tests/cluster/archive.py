"""A small archive of labelled, drawn castings for the jobs of ``kuberay/``: ``archive.py FILE.zip``."""

import sys
import zipfile
from pathlib import Path

from drawing.castings import KINDS, draw

PICTURES = 120


def main(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(PICTURES):
            casting = draw(9000 + seed, "ok" if seed % 2 else KINDS[1 + seed // 2 % 4])
            archive.writestr(f"{casting.label}/{seed}.png", casting.png())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
