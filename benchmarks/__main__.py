"""``python -m benchmarks``: see the package's docstring."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import (
    aside,
    chart,
    hostile,
    instructions,
    loopback,
    memory,
    octets,
    pop3,
    report,
    smtp_client,
    smtp_server,
    startup,
)
from benchmarks.measure import FULL, QUICK, Effort, Row

WORKLOADS: Mapping[str, Callable[[Effort], Iterator[Row]]] = {
    "smtp-server": smtp_server.transactions,
    "smtp-server-data": smtp_server.bulk,
    "smtp-server-dots": smtp_server.some_dots,
    "smtp-server-all-dots": smtp_server.dots_everywhere,
    "loopback": loopback.transactions,
    "loopback-data": loopback.bulk,
    "loopback-client": loopback.clients,
    "smtp-client": smtp_client.transactions,
    "smtp-client-pipelining": smtp_client.pipelining,
    "smtp-client-data": smtp_client.bulk,
    "smtp-client-dots": smtp_client.some_dots,
    "pop3-client": pop3.retr_client,
    "pop3-server": pop3.retr_server,
    "pop3-list": pop3.listing,
    "instructions": instructions.rows,
    "startup": startup.import_time,
    "octets": octets.one_at_a_time,
    "hostile-octets": hostile.octets,
    "hostile-commands": hostile.commands,
    "memory": memory.gigabyte,
    "idle": memory.idle,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("workload", nargs="*", help="which to measure; without one, all")
    parser.add_argument("--list", action="store_true", help="name the workloads")
    parser.add_argument("--quick", action="store_true", help="each once, small: does it work?")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the ratios")
    parser.add_argument("--markdown", action="store_true", help="the table as the README has it")
    parser.add_argument(
        "--fetch", action="store_true", help="install the package of the same name aside"
    )
    options = parser.parse_args()
    if options.list:
        for name, workload in WORKLOADS.items():
            print(f"{name:24}{(workload.__doc__ or '').splitlines()[0]}")
        return
    unknown = [name for name in options.workload if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload is called {' or '.join(unknown)}: see --list")
    problem = aside.fetch() if options.fetch else None
    if problem is not None:
        print(f"smtpproto of the index cannot be had: {problem}", file=sys.stderr)
    try:
        rows = measure(options.workload or list(WORKLOADS), QUICK if options.quick else FULL)
        if options.plot:
            chart.draw(rows, options.plot, report.machine())
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is not installed: pip install '.[bench]'")
    print(report.markdown(rows) if options.markdown else report.text(rows))
    print(f"\n{report.machine()}")
    if options.quick:
        print("The work was done; times of single small runs say nothing.")


def measure(names: list[str], effort: Effort) -> list[Row]:
    """The rows of these workloads."""
    rows: list[Row] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows.extend(WORKLOADS[name](effort))
    return rows


if __name__ == "__main__":
    main()
