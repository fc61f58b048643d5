"""A certificate of one's own for 127.0.0.1, as Java's daemons and their clients read it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "of-the-key-store"


@dataclass(frozen=True)
class Certificate:
    """``store`` (PKCS12) holds key and certificate, ``ca`` (PEM) what a client believes."""

    store: Path
    ca: Path


def certificate(folder: Path) -> Certificate:
    made = Certificate(folder / "own.p12", folder / "ca.pem")
    store = ["-keystore", str(made.store), "-storepass", PASSWORD, "-alias", "own"]
    pair = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-storetype", "PKCS12", "-validity", "2"]
    named = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-ext", "bc=ca:true"]
    subprocess.run(["keytool", *pair, *named, *store], check=True, capture_output=True)
    export = ["keytool", "-exportcert", "-rfc", "-file", str(made.ca), *store]
    subprocess.run(export, check=True, capture_output=True)
    return made
