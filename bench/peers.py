#!/usr/bin/env python3
"""Latency of whole networks beside ONNX Runtime and OpenVINO, one run side by side, on 1 and 2 threads.

    build/venv/bin/python bench/peers.py [--models ResNet-8,ResNet-50] [--schemes W8A8,W4A4] [--rounds 5] [--seconds 0.2]

The real networks lie in $NIBBLE_DATA (else build/data); one that is not there is left out and named. ResNet-50 v1.5 and
MobileNetV1 are generated (bench/shapes.py) and run at batch 1 and 16. Writes build/bench.json. A row takes 12 contenders x 5
rounds x 0.2 s = 12 s, and more where one run is longer than that (batch 16: leave it out with `--batches 1`); quantised files
are made the first time. docs/benchmarks.md says how to read it."""
import argparse
import json
import pathlib

import common
import contenders
import machine
import networks
import report
import rounds


def measure(network, threads, batch, args):
    """One row: times in us by contender name, and the messages of those that failed."""
    field = contenders.of(network, threads, batch, args.peers)
    rounds.race(field, args.rounds, args.seconds)
    return {"model": network.name, "batch": batch, "threads": threads,
            "median_us": {c.name: c.median_us for c in field}, "min_us": {c.name: c.min_us for c in field},
            "failures": {c.name: c.failure for c in field if c.failure}}


def write(rows, args):
    """All rows so far, as JSON."""
    output = pathlib.Path(args.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"machine": machine.describe(), "rounds": args.rounds, "rows": rows}, indent=1) + "\n")


def shown(row, args):
    """The row with the times that the tables show under "us"."""
    return {**row, "us": row[args.statistic + "_us"]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/bench.json")
    parser.add_argument("--models", default=",".join(networks.NAMES))
    parser.add_argument("--schemes", default=",".join(contenders.SCHEMES), help="any that nibble takes, widest first")
    parser.add_argument("--peers", default=",".join(contenders.PEERS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--batches", default="1,16", help="batches above 1 are run on the generated networks only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of every contender in every round")
    parser.add_argument("--statistic", choices=["median", "min"], default="median",
                        help="what the tables show; the JSON file holds both")
    args = parser.parse_args()
    args.models = common.choose(args.models, networks.NAMES)
    args.peers = common.choose(args.peers, contenders.PEERS)
    args.schemes = args.schemes.split(",")
    args.threads, args.batches = ([int(v) for v in text.split(",")] for text in (args.threads, args.batches))
    return args


def main():
    args = arguments()
    rows = []
    for model in networks.here(args.models):
        network = contenders.prepare(model, args.schemes, any(p.startswith("OV") for p in args.peers))
        for batch in args.batches:
            for threads in args.threads if batch == 1 or model.name in networks.GENERATED else []:
                rows.append(measure(network, threads, batch, args))
                write(rows, args)   # a run that is cut short has not been for nothing
                print(report.progress(shown(rows[-1], args)), flush=True)
    for threads in args.threads:
        chosen = [shown(r, args) for r in rows if r["threads"] == threads]
        report.beside_peers(chosen, args.statistic, threads)
        report.widths(chosen, args.schemes, args.statistic, threads)
    report.failures(rows)
    print(f"\nwrote {args.output}")


if __name__ == "__main__":
    main()
