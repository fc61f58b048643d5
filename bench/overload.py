"""Five times the clients that saturate the service: what is still answered, and how memory behaves.

    python bench/overload.py [seconds] [saturating clients]

First the peak, then the overload with clients that honour Retry-After, then with clients that call again at once.
Goodput is what was answered with 200; refused calls were answered with 503 at once.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.serving.contenders import CONTENDERS, running
from bench.serving.load import CONTENT_TYPE, drawn, send, write
from bench.serving.report import OURS
from bench.used import Watch

TIMES = 5
LOOK = 2.0  # seconds between looks at the memory


def main(seconds: float = 60.0, clients: int = 128) -> None:
    ours = next(one for one in CONTENDERS if one.name == OURS)
    with tempfile.TemporaryDirectory() as folder:
        load = write(Path(folder) / "1", drawn(), 1)
        with running(ours, ((load.folder / "0").read_bytes(), CONTENT_TYPE)) as server:
            send(load, server.port, clients, 5.0)
            peak = send(load, server.port, clients, min(10.0, seconds))
            print(f"peak, {clients} clients: {peak.rate:.0f} pictures/s, p99 {peak.p99:.0f} ms", flush=True)
            for patient in (True, False):
                with Watch(server.root, LOOK) as watch:
                    sent = send(load, server.port, TIMES * clients, seconds, patient)
                memory = [one.pss_mib for one in watch.seen]
                quarter = max(1, len(memory) // 4)
                print(
                    f"{TIMES * clients} clients, Retry-After {'honoured' if patient else 'ignored'}: "
                    f"{sent.rate:.0f} pictures/s ({100 * sent.rate / peak.rate:.0f} % of the peak), "
                    f"{sent.refused} refused, {sent.broken} broken, p50 {sent.p50:.0f} ms, p99 {sent.p99:.0f} ms, "
                    f"memory {max(memory[:quarter]):.0f} to {max(memory[-quarter:]):.0f} MiB",
                    flush=True,
                )


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]), *(int(argument) for argument in sys.argv[2:3]))
