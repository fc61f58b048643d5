"""Kafka over TLS with a certificate of one's own and a password: who proves nothing is kept out."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger import Ledger
from streaming.folder import LocalFolder
from streaming.kafka import Away, Kafka
from streaming.settings import Settings
from streaming.topic import ensure_topic
from tests.services.broker import Broker
from tests.services.certificate import PASSWORD as STORE_PASSWORD
from tests.services.certificate import certificate
from tests.services.daemon import free_ports
from tests.services.line import consuming, entry, relaying, until_stored

PASSWORD = "made-for-this-test"

_SECURE = """\
listeners=PLAINTEXT://127.0.0.1:{inner},SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{inner},SASL_SSL://127.0.0.1:{port}
controller.quorum.voters=1@127.0.0.1:{controller}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location={store}
ssl.keystore.password={password}
ssl.key.password={password}
"""


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """How the broker is reached as the settings say it."""
    folder = tmp_path_factory.mktemp("secure")
    own = certificate(folder)
    (folder / "password").write_text(f"{PASSWORD}\n")
    inner, port, controller = free_ports(3)
    ports = {"inner": inner, "port": port, "controller": controller}
    more = _SECURE.format(**ports, store=own.store, password=STORE_PASSWORD)
    broker = Broker(folder / "kafka", more, f"SCRAM-SHA-512=[name=casting,password={PASSWORD}]")
    broker.address = f"127.0.0.1:{inner}"  # later lines of its settings replace earlier ones
    try:
        broker.start()
        kafka = Settings(
            kafka=f"127.0.0.1:{port}",
            kafka_security="SASL_SSL",
            kafka_ca=own.ca,
            kafka_user="casting",
            kafka_password_file=folder / "password",
        ).broker
        assert kafka is not None
        yield kafka
    finally:
        broker.stop()


def test_relay_and_consumer_go_over_tls_with_a_password(secure: Kafka, tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    lake = LocalFolder(tmp_path / "lake")
    with relaying(ledger, secure), consuming(secure, lambda: lake):
        for receipt in [recorder.submit(entry(2)) for _ in range(20)]:
            receipt.result()
        verdict = until_stored(lake, 40)
    recorder.close()
    ledger.close()
    assert verdict.whole, verdict
    assert max(count.stored for count in verdict.journals) == 40


def test_a_wrong_password_is_an_error_that_says_so(secure: Kafka, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("guessed")
    with pytest.raises(Away):
        asyncio.run(ensure_topic(replace(secure, password_file=wrong)))


def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(secure: Kafka) -> None:
    with pytest.raises(Away):
        asyncio.run(ensure_topic(replace(secure, ca=Path(ssl.get_default_verify_paths().openssl_cafile))))
