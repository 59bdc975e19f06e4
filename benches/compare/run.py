"""The relay beside socat and websockify: bulk throughput and the round trip of one pointer event, as ratios.

All of them in one run and in turns, since figures of different runs on a shared machine say nothing about each other.
A starting figure to compare later ones with, and no gate.
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from client import bulk, log_in, round_trip
from relays import Consolepass, Relay, Socat, Source, Websockify


@dataclass
class Figures:
    # MiB each second, and seconds of the relay's processor time for each GiB, one of each round.
    throughput: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    # Microseconds, of all rounds.
    round_trips: list[float] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turns")
    parser.add_argument("--mebibytes", type=int, default=512, help="how much goes through in each round")
    parser.add_argument("--events", type=int, default=4000, help="how many pointer events in each round")
    settings = parser.parse_args()

    relays: list[Relay] = []
    with tempfile.TemporaryDirectory(prefix="consolepass-bench-") as folder:
        try:
            source = Source()
            relays.append(source)
            for start in (lambda: Socat(source), lambda: Websockify(source), lambda: Consolepass(source, Path(folder))):
                relays.append(start())
            figures = {relay.name: Figures() for relay in relays}
            for number in range(settings.rounds):
                for relay in relays:
                    print(f"round {number + 1} of {settings.rounds}: {relay.name}", file=sys.stderr, flush=True)
                    measure(relay, figures[relay.name], settings)
        finally:
            for relay in reversed(relays):
                relay.close()
    report(figures, settings)
    return 0


def measure(relay: Relay, figures: Figures, settings: argparse.Namespace) -> None:
    stream = relay.connect()
    try:
        log_in(stream)
        # Once for nothing: what is set up at the first byte is no part of the figure.
        bulk(stream, 8)
        cpu, begin = relay.cpu(), time.perf_counter()
        bulk(stream, settings.mebibytes)
        figures.throughput.append(settings.mebibytes / (time.perf_counter() - begin))
        figures.cpu.append((relay.cpu() - cpu) * 1024 / settings.mebibytes)
        for _ in range(settings.events):
            begin = time.perf_counter()
            round_trip(stream)
            figures.round_trips.append((time.perf_counter() - begin) * 1e6)
    finally:
        stream.close()


def report(figures: dict[str, Figures], settings: argparse.Namespace) -> None:
    ours = figures["consolepass"]
    print(f"{settings.rounds} rounds of {settings.mebibytes} MiB and {settings.events} pointer events, loopback, medians")
    print(f"{'':<12} {'MiB/s':>8} {'ratio':>7} {'CPU s/GiB':>10} {'p50 us':>8} {'p99 us':>8} {'ratio':>7}")
    for name, found in figures.items():
        throughput = statistics.median(found.throughput)
        half, most = quantiles(found.round_trips)
        # Of ours to this one's: above 1 we carry more, below 1 we answer sooner.
        more = statistics.median(ours.throughput) / throughput
        sooner = quantiles(ours.round_trips)[0] / half
        # The source's processor time is its own, and not that of a relay.
        cpu = f"{statistics.median(found.cpu):>10.2f}" if name != Source.name else f"{'-':>10}"
        print(f"{name:<12} {throughput:>8.0f} {more:>7.2f} {cpu} {half:>8.0f} {most:>8.0f} {sooner:>7.2f}")
    print("ratio: consolepass to this one; more is better for MiB/s, less is better for p50")


def quantiles(values: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=100)
    return cuts[49], cuts[98]


if __name__ == "__main__":
    sys.exit(main())
