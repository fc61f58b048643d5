"""A real NameNode and DataNode for tests, reached through WebHDFS."""

import signal
import ssl
import subprocess
import urllib.request
from pathlib import Path

from tests.services.certificate import PASSWORD, Certificate
from tests.services.daemon import Daemon, environment, free_ports, jars, wait

_PACKAGE = "org.apache.hadoop.hdfs.server"


class Hdfs:
    """HDFS 3.5.0 over ``folder``; ``root`` is its file system, ``web`` where WebHDFS answers."""

    def __init__(self, folder: Path, certificate: Certificate | None = None) -> None:
        """With a ``certificate`` WebHDFS answers over TLS only."""
        self.certificate = certificate
        (folder / "conf").mkdir(parents=True, exist_ok=True)
        rpc, web, *data = free_ports(5)
        self.root, self.web = f"hdfs://127.0.0.1:{rpc}", f"http{'s' if certificate else ''}://127.0.0.1:{web}"
        _write(folder / "conf/core-site.xml", {"fs.defaultFS": self.root, "hadoop.tmp.dir": f"{folder}/tmp"})
        _write(folder / "conf/hdfs-site.xml", _settings(folder, web, data, certificate is not None))
        if certificate is not None:
            _write(folder / "conf/ssl-server.xml", _keys(certificate))
        path = f"{folder}/conf:{jars('org.apache.hadoop', 'hadoop-client-minicluster', '3.5.0')}"
        if not (folder / "name/current").exists():
            form = ["java", "-cp", path, f"{_PACKAGE}.namenode.NameNode", "-format", "-nonInteractive"]
            subprocess.run(form, check=True, capture_output=True, env=environment())
        self.namenode = Daemon(folder / "namenode.log", 256, path, f"{_PACKAGE}.namenode.NameNode")
        self.datanode = Daemon(folder / "datanode.log", 256, path, f"{_PACKAGE}.datanode.DataNode")

    def start(self) -> None:
        self.namenode.start()
        self.datanode.start()
        wait(self._answers, "HDFS")

    def stop(self) -> None:
        self.datanode.end(signal.SIGKILL)
        self.namenode.end(signal.SIGTERM)

    def quota(self, path: str, size: int) -> None:
        """Bytes that may lie under ``path``; -1: as many as the disk takes. Waits while a safe mode refuses changes."""
        wait(self._answers, "HDFS")
        query = f"op=SETQUOTA&user.name=casting&namespacequota=9223372036854775807&storagespacequota={size}"
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.web}/webhdfs/v1{path}?{query}", method="PUT"), timeout=20
        ):
            pass

    def _answers(self) -> bool:
        alive = '"NumLiveDataNodes" : 1' in self._bean("FSNamesystemState")
        return alive and '"Safemode" : ""' in self._bean("NameNodeInfo")

    def _bean(self, name: str) -> str:
        address = f"{self.web}/jmx?qry=Hadoop:service=NameNode,name={name}"
        context = ssl.create_default_context(cafile=self.certificate.ca) if self.certificate else None
        with urllib.request.urlopen(address, timeout=2, context=context) as answer:
            return str(answer.read().decode())


def _settings(folder: Path, web: int, data: list[int], tls: bool) -> dict[str, object]:
    http = "https" if tls else "http"
    return {
        "dfs.namenode.name.dir": folder / "name",
        "dfs.datanode.data.dir": folder / "data",
        "dfs.replication": 1,
        "dfs.http.policy": f"{http}_only".upper(),
        f"dfs.namenode.{http}-address": f"127.0.0.1:{web}",
        "dfs.datanode.address": f"127.0.0.1:{data[0]}",
        f"dfs.datanode.{http}.address": f"127.0.0.1:{data[1]}",
        "dfs.datanode.ipc.address": f"127.0.0.1:{data[2]}",
        "dfs.datanode.hostname": "127.0.0.1",
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
        "dfs.datanode.synconclose": "true",
        "dfs.namenode.safemode.extension": 0,
        "dfs.heartbeat.interval": 1,
        "dfs.namenode.heartbeat.recheck-interval": 3000,
    }


def _keys(certificate: Certificate) -> dict[str, object]:
    store = {"location": certificate.store, "password": PASSWORD, "keypassword": PASSWORD, "type": "PKCS12"}
    return {f"ssl.server.keystore.{name}": value for name, value in store.items()}


def _write(path: Path, settings: dict[str, object]) -> None:
    rows = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>" for name, value in settings.items()
    )
    path.write_text(f"<configuration>{rows}</configuration>")
