#!/usr/bin/env python3
"""Networks layer by layer beside oneDNN, one run side by side: f32 and u8 x s8, 1 and 2 threads.

    build/venv/bin/python bench/layers.py [--models ResNet-8,ResNet-50] [--threads 1] [--batch 1] [--rounds 3] [--worst 15]

oneDNN's layers have bias, scales and ReLU fused and run in the network's order, each reading what the one before wrote; their
layouts are those it likes best, no reorder is timed. Ours are the profile of `nibble bench`. Needs nibble-onednn
(-DNIBBLE_BENCHMARKS=ON and oneDNN; `make bench` sees to both). Writes build/layers.json."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import common
import contenders
import layer_shapes
import machine
import networks
import table
from runtimes import nibble

COLUMNS = {"f32": "float", "u8s8": "W8A8"}   # oneDNN's precision -> ours


def onednn(layers, precision, threads, seconds):
    """[{"name", "us", "implementation"}] of one round, layer by layer."""
    environment = {**os.environ, **common.peer_isa(), "OMP_NUM_THREADS": str(threads), "OMP_PROC_BIND": "true"}
    done = subprocess.run([common.BUILD / "nibble-onednn", precision, str(seconds)], capture_output=True, text=True,
                          env=environment, input="".join(layer.line(i) for i, layer in enumerate(layers)))
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return [json.loads(line) for line in done.stdout.splitlines()]


def profile(path, threads, batch, seconds):
    """({node name: us}, {node name: kernel}) of one round of ours."""
    answer = common.nibble("bench", path, "--threads", threads, "--batch", batch, "--seconds", seconds)
    return ({l["name"]: l["us"] for l in answer["layers"]}, {l["name"]: l["kernel"] for l in answer["layers"]})


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def measure(model, threads, args):
    """Rows {"model", "layer", "shape", precision: {"onednn_us", "implementation", "us", "kernel"}}."""
    folder = common.WORK / model.name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    _, calib = contenders.calibration(model, folder)
    files = {"f32": nibble.convert(model.file, folder / "float.nbl"),
             "u8s8": nibble.quantize(model.file, folder / "W8A8.onnx", "W8A8", calib)}
    layers = layer_shapes.of(model.file, args.batch)
    theirs, ours = {p: [] for p in COLUMNS}, {p: [] for p in COLUMNS}
    for _ in range(args.rounds):
        for precision in COLUMNS:
            theirs[precision].append(onednn(layers, precision, threads, args.seconds))
            ours[precision].append(profile(files[precision], threads, args.batch, args.seconds))
    rows = []
    for i, layer in enumerate(layers):
        row = {"model": model.name, "threads": threads, "layer": layer.name, "shape": layer.text()}
        for precision in COLUMNS:
            row[precision] = {"onednn_us": median(r[i]["us"] for r in theirs[precision]),
                              "implementation": theirs[precision][0][i]["implementation"],
                              "us": median(times.get(layer.name) for times, _ in ours[precision]),
                              "kernel": ours[precision][0][1].get(layer.name)}
        rows.append(row)
    return rows


def ratio(row, precision):
    return table.ratio(row[precision]["onednn_us"], row[precision]["us"])


def cells(row, first):
    line = [first]
    for precision in COLUMNS:
        line += [table.number(row[precision]["onednn_us"], 1), table.number(row[precision]["us"], 1),
                 table.number(ratio(row, precision), 2)]
    return [*line, row["u8s8"]["implementation"], row["u8s8"]["kernel"], row["shape"]]


HEADER = ["", "oneDNN f32", "float", "ratio", "oneDNN u8s8", "W8A8", "ratio", "implementation", "kernel", "shape"]


def show_network(rows):
    """All layers of one network."""
    lines = [cells(r, r["layer"]) for r in rows]
    means = [table.number(table.geometric_mean(ratio(r, p) for r in rows), 2) for p in COLUMNS]
    lines.append(["geometric mean", "", "", means[0], "", "", means[1], "", "", ""])
    table.show(HEADER, lines, f"{rows[0]['model']}, us, oneDNN over ours, {rows[0]['threads']} threads")


def show_worst(rows, threads, worst):
    """The layers that lose most time to oneDNN, all networks together."""
    lost = [r for r in rows if ratio(r, "u8s8")]
    lost.sort(key=lambda r: r["u8s8"]["onednn_us"] - r["u8s8"]["us"])
    table.show(HEADER, [cells(r, f"{r['model']}: {r['layer']}") for r in lost[:worst]],
               f"Most time lost to oneDNN u8s8, {threads} threads")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/layers.json")
    parser.add_argument("--models", default=",".join(networks.NAMES))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="of every program in every round")
    parser.add_argument("--worst", type=int, default=15)
    args = parser.parse_args()
    rows = []
    models = list(networks.here(common.choose(args.models, networks.NAMES)))
    for threads in map(int, args.threads.split(",")):
        for model in models:
            of_model = measure(model, threads, args)
            show_network(of_model)
            rows += of_model
        show_worst([r for r in rows if r["threads"] == threads], threads, args.worst)
    output = pathlib.Path(args.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"machine": machine.describe(), "batch": args.batch, "rows": rows}, indent=1) + "\n")
    print(f"\nwrote {output}")


if __name__ == "__main__":
    main()
