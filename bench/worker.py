#!/usr/bin/env python3
"""One public runtime with one model, served as rounds of timed runs (the protocol is bench/rounds.py's).

    worker.py onnxruntime|openvino MODEL THREADS BATCH [KEY=VALUE ...]

The input is uniform in [0, 1), seeded, as `nibble bench` feeds it. KEY=VALUE are settings of the runtime."""
import importlib
import json
import statistics
import sys
import time


def serve(run):
    """Answers requests on standard input until it ends; `run()` is one inference."""
    run()
    print("ready", flush=True)
    for line in sys.stdin:
        run()
        times, end = [], time.perf_counter() + float(line)
        while not times or time.perf_counter() < end:
            start = time.perf_counter_ns()
            run()
            times.append(time.perf_counter_ns() - start)
        print(json.dumps({"median_us": statistics.median(times) / 1e3, "min_us": min(times) / 1e3, "runs": len(times)}),
              flush=True)


def main():
    runtime, model, threads, batch, *settings = sys.argv[1:]
    module = importlib.import_module(f"runtimes.{runtime}")
    serve(module.open_model(model, int(threads), int(batch), dict(s.split("=", 1) for s in settings)))


if __name__ == "__main__":
    main()
