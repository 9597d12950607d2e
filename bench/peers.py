#!/usr/bin/env python3
"""Latency beside ONNX Runtime, one run: every real model in float and int8, 1 and 2 threads, the runtimes alternating.

    build/venv/bin/python bench/peers.py [--output build/bench.json] [--models ResNet-8,MobileNetV2] [--rounds 5]

ONNX Runtime int8 is its own static QDQ quantisation (u8 activations, per-channel s8 weights). Goal: W8A8 at least twice as
fast as our own float on MobileNetV2 and SqueezeNet with VNNI, and never slower than ONNX Runtime int8."""
import argparse
import json
import pathlib
import statistics
import tempfile
import time

import numpy

import common


def calibration(model, folder):
    """The calibration samples as float32 arrays [N, ...]."""
    if not model.calib:
        return numpy.random.default_rng(0).standard_normal((500, 640), numpy.float32)
    path = folder / "calib.npz"
    common.nibble("convert", common.spec(model.calib), path)
    return numpy.load(path)["input"].astype(numpy.float32)


def time_onnxruntime(session, feed, seconds):
    times = []
    for _ in range(3):
        session.run(None, feed)
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 10:
        t = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - t)
    return statistics.median(times) * 1e6


def measure(model, folder, threads, rounds, seconds):
    """Median latencies in us by runtime, medians over `rounds` alternating rounds."""
    samples = calibration(model, folder)
    numpy.save(folder / "calib.npy", samples)
    ours, theirs = folder / "ours.onnx", folder / "theirs.onnx"
    common.nibble("quantize", model.file, "--scheme", "W8A8", "--calib", folder / "calib.npy", "-o", ours)
    common.quantize_in_onnxruntime(model.file, theirs, samples[:100])
    result = {}
    for count in threads:
        float_session = common.session(model.file, count)
        int8_session = common.session(theirs, count)
        feed = {float_session.get_inputs()[0].name: samples[:1]}
        rows = {"nibble float": [], "nibble W8A8": [], "ORT float": [], "ORT int8": []}
        for _ in range(rounds):
            for name, path in (("nibble float", model.file), ("nibble W8A8", ours.with_suffix(".nbl"))):
                answer = common.nibble("bench", path, "--threads", count, "--seconds", seconds)
                rows[name].append(answer["latency_us"]["median"])
            rows["ORT float"].append(time_onnxruntime(float_session, feed, seconds))
            rows["ORT int8"].append(time_onnxruntime(int8_session, feed, seconds))
        result[count] = {name: statistics.median(values) for name, values in rows.items()}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/bench.json")
    parser.add_argument("--models", default="ResNet-8,ResNet-20,MobileNetV2,SqueezeNet")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    args = parser.parse_args()
    threads = [int(t) for t in args.threads.split(",")]
    report, rows = {}, []
    for model in common.MODELS:
        if model.name not in args.models.split(","):
            continue
        if not model.file.exists():
            print(f"{model.name}: {model.file} is not here, left out")
            continue
        with tempfile.TemporaryDirectory() as folder:
            result = measure(model, pathlib.Path(folder), threads, args.rounds, args.seconds)
        report[model.name] = result
        for count, us in result.items():
            rows.append([model.name, f"{count}T", *(f"{us[k]:.0f}" for k in us),
                         f"{us['nibble float'] / us['nibble W8A8']:.2f}x", f"{us['ORT int8'] / us['nibble W8A8']:.2f}x",
                         f"{us['ORT float'] / us['nibble float']:.2f}x"])
    common.table(["median us", "", "nibble float", "nibble W8A8", "ORT float", "ORT int8", "float/W8A8",
                  "ORT int8/W8A8", "ORT float/float"], rows)
    pathlib.Path(args.output).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(args.output).write_text(json.dumps(report, indent=1))
    print(f"wrote {args.output}")


if __name__ == "__main__":
    main()
