#!/usr/bin/env python3
"""Linear layers beside ONNX Runtime and OpenVINO, one run side by side: [M, K] x [K, N], float32 in and out.

    build/venv/bin/python bench/linear.py [--shapes 4096x4096] [--rows 1,128] [--schemes W8A8,W4A8] [--threads 1] [--rounds 3]

Prints for every contender the median time, GOPS (1 multiply-accumulate = 2 operations), GB/s of packed weight bytes and their
shares of this machine's limits, measured in the same run by nibble-limits: the int8 peak of registers, and the read bandwidth
of a buffer as large as the packed weights (what level of memory that is depends on the machine's caches). Writes
build/linear.json. A table takes 20 contenders x 3 rounds x 0.2 s = 12 s, and more where one run is longer than that."""
import argparse
import dataclasses
import json
import pathlib
import subprocess

import common
import machine
import rounds
import runtimes
import table
from linear_models import Product
from runtimes import nibble, openvino

SCHEMES = ["W8A8", "W4A8", "W3A8", "W2A8", "W1A8", "W8A16", "W4A16", "W4A16G32", "W2A16G32"]


@dataclasses.dataclass
class Entry:
    """A contender, with the bits that it stores for a weight (scales included) and the width of its class."""
    contender: rounds.Contender
    bits: float
    width: int


def peers(product, threads, rows):
    """The public runtimes' forms of the product."""
    ort = lambda name, path, bits, width: Entry(
        runtimes.worker("ORT " + name, "onnxruntime", path, threads, rows), bits, width)
    ov = lambda name, path, bits, width, **settings: Entry(
        runtimes.worker("OV " + name, "openvino", path, threads, rows, **settings), bits, width)
    f32 = {"INFERENCE_PRECISION_HINT": "f32"}
    yield ort("fp32", product.fp32, 32, 32)
    yield ov("fp32", product.fp32, 32, 32, **f32)
    if openvino.runs_bf16():
        yield ov("bf16", product.fp32, 16, 16, INFERENCE_PRECISION_HINT="bf16")
    yield ort("dynamic int8", product.dynamic(), 8, 8)
    yield ov("QDQ int8", product.qdq(), 8, 8)
    for bits in (4, 2):
        for block in (32, 128):
            yield ort(f"MatMulNBits-{bits} b{block}", product.nbits(bits, block), bits + 32 / block, bits)
    yield ov("weight-only int8", product.compressed(8, -1), 8, 8)
    yield ov("weight-only int4 g128", product.compressed(4, 128), 4 + 16 / 128, 4)
    yield ov("weight-only int4 g128, dynamic", product.compressed(4, 128), 4 + 16 / 128, 4,
             DYNAMIC_QUANTIZATION_GROUP_SIZE="128", **f32)


def ours(product, schemes, threads, rows):
    """Our float and our schemes, those that the command takes."""
    yield Entry(nibble.contender("nibble float", product.float_nbl(), threads, rows), 32, 32)
    for scheme in schemes:
        path = product.ours(scheme)
        if path:
            width, _, group = scheme[1:].partition("G")
            width = int(width[0])
            bits = width + (32 / int(group) if group else 0)
            yield Entry(nibble.contender(f"nibble {scheme}", path, threads, rows), bits, width)


def limits(entries, product, threads):
    """{"int8": ..., "read_gbs": {bytes: GB/s}} of nibble-limits for all packed sizes."""
    sizes = sorted({packed_bytes(e, product) for e in entries})
    done = subprocess.run([common.BUILD / "nibble-limits", str(threads), *map(str, sizes)], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)


def packed_bytes(entry, product):
    return int(product.k * product.n * entry.bits / 8)


def line_of(entry, product, rows, limit, statistic):
    """The measured values of a contender."""
    contender, size = entry.contender, packed_bytes(entry, product)
    us = contender.median_us if statistic == "median" else contender.min_us
    line = {"name": contender.name, "width": entry.width, "us": us, "failure": contender.failure,
            "gops": None, "gbs": None, "of_int8": None, "of_read": None}
    if us:
        line["gops"] = 2e-3 * rows * product.k * product.n / us
        line["gbs"] = size / us * 1e-3
        line["of_int8"] = line["gops"] / limit["int8"]["gops"] if limit["int8"] else None
        line["of_read"] = line["gbs"] / limit["read_gbs"][str(size)]
    return line


def show(result):
    """One table; `best peer` is the fastest peer at the line's width or wider over the line's time."""
    lines = []
    for line in result["lines"]:
        rivals = [o["us"] for o in result["lines"] if not o["name"].startswith("nibble") and o["width"] >= line["width"]]
        over = table.ratio(table.least(rivals), line["us"]) if line["name"].startswith("nibble") else None
        percent = lambda share: None if share is None else f"{share * 100:.0f} %"
        lines.append([line["name"], table.number(line["us"]), table.number(line["gops"], 1), table.number(line["gbs"], 1),
                      percent(line["of_int8"]), percent(line["of_read"]), table.number(over, 2)])
    int8 = result["limits"]["int8"]
    peak = f"int8 peak {int8['gops']:.0f} GOPS ({int8['isa']})" if int8 else "no int8 peak measured"
    table.show(["", "us", "GOPS", "GB/s", "of int8 peak", "of read GB/s", "best peer/ours"], lines,
               f"M = {result['rows']}, K x N = {result['shape']}, {result['threads']} threads; {peak}")
    for line in result["lines"]:
        if line["failure"]:
            print(f"{line['name']} did not run ({line['failure']})")


def measure(product, rows, threads, args):
    entries = [*peers(product, threads, rows), *ours(product, args.schemes, threads, rows)]
    limit = limits(entries, product, threads)
    rounds.race([e.contender for e in entries], args.rounds, args.seconds)
    return {"shape": f"{product.k}x{product.n}", "rows": rows, "threads": threads, "limits": limit, "statistic": args.statistic,
            "lines": [line_of(e, product, rows, limit, args.statistic) for e in entries]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/linear.json")
    parser.add_argument("--shapes", default="4096x4096,4096x11008,11008x4096", help="KxN, comma-separated")
    parser.add_argument("--rows", default="1,16,128,512", help="values of M")
    parser.add_argument("--schemes", default=",".join(SCHEMES))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.2, help="of every contender in every round")
    parser.add_argument("--statistic", choices=["median", "min"], default="median", help="what is printed and written")
    args = parser.parse_args()
    args.schemes = args.schemes.split(",")
    results = []
    for shape in args.shapes.split(","):
        product = Product(*(int(v) for v in shape.split("x")))
        for threads in args.threads.split(","):
            for rows in args.rows.split(","):
                results.append(measure(product, int(rows), int(threads), args))
                show(results[-1])
    output = pathlib.Path(args.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"machine": machine.describe(), "results": results}, indent=1) + "\n")
    print(f"\nwrote {output}")


if __name__ == "__main__":
    main()
