#!/usr/bin/env python3
"""Start of a large model: a stack of random Gemm layers is quantised once (build/load/), then opened by the shared runtime.

    build/venv/bin/python bench/load.py [--layers 24] [--width 2048] [--scheme W8A8] [--rounds 15]

Goal: a mapped start (structure checked, checksums not asked for) of 100 MB in less than 20 ms. The first run also binds the steps to
their shapes and touches every weight for the first time; the second run is the network alone."""
import argparse
import ctypes
import pathlib
import statistics
import time

import numpy
import onnx

import common
import table

FOLDER = common.ROOT / "build/load"


class Array(ctypes.Structure):
    """nibble_array of include/nibble/run_c.h."""
    _fields_ = [("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t), ("type", ctypes.c_int32),
                ("rank", ctypes.c_int32), ("shape", ctypes.c_int64 * 8)]


def make_model(layers, width, scheme):
    """The packed model of `layers` ReLU(x W + b), x [1, width]; made once."""
    path = FOLDER / f"mlp_{layers}x{width}_{scheme}.nbl"
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(0)
    nodes, constants, last = [], [], "x"
    for i in range(layers):
        weights = random.standard_normal((width, width), numpy.float32) * numpy.float32((2 / width) ** 0.5)
        constants += [onnx.numpy_helper.from_array(weights, f"w{i}"),
                      onnx.numpy_helper.from_array(numpy.zeros(width, numpy.float32), f"b{i}")]
        nodes += [onnx.helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"g{i}"], f"gemm{i}"),
                  onnx.helper.make_node("Relu", [f"g{i}"], [f"r{i}"], f"relu{i}")]
        last = f"r{i}"

    def port(name):
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, width])
    graph = onnx.helper.make_graph(nodes, "mlp", [port("x")], [port(last)], constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 10
    source = path.with_suffix(".float.onnx")
    onnx.save(model, source)
    numpy.save(FOLDER / "x.npy", random.standard_normal((4, width), numpy.float32))
    common.nibble("quantize", source, "--scheme", scheme, "--calib", FOLDER / "x.npy", "-o", path.with_suffix(".onnx"))
    source.unlink()
    path.with_suffix(".onnx").unlink()
    return path


def open_and_run(runtime, path, width, verify=0):
    """Milliseconds of: opening the model, a session, its first run, its second run."""
    x, y = numpy.ones((1, width), numpy.float32), numpy.empty((1, width), numpy.float32)
    feed = Array(x.ctypes.data, x.nbytes, 1, 2, (ctypes.c_int64 * 8)(1, width))
    result = Array(y.ctypes.data, y.nbytes)
    model, session = ctypes.c_void_p(), ctypes.c_void_p()
    calls = [lambda: runtime.nibble_model_load(str(path).encode(), verify, ctypes.byref(model)),
             lambda: runtime.nibble_session_create(model, 1, ctypes.byref(session)),
             lambda: runtime.nibble_session_run(session, ctypes.byref(feed), ctypes.c_size_t(1), ctypes.byref(result),
                                                ctypes.c_size_t(1))]
    times = []
    for call in [*calls, calls[2]]:
        start = time.perf_counter()
        status = call()
        times.append((time.perf_counter() - start) * 1e3)
        if status != 0:
            raise SystemExit(runtime.nibble_error_text().decode())
    runtime.nibble_session_free(session)
    runtime.nibble_model_free(model)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--scheme", default="W8A8")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    path = make_model(options.layers, options.width, options.scheme)
    runtime = ctypes.CDLL(str(common.ROOT / "build/release/libnibble_runtime.so"))
    runtime.nibble_error_text.restype = ctypes.c_char_p
    runtime.nibble_session_free.argtypes = runtime.nibble_model_free.argtypes = [ctypes.c_void_p]
    rounds = [open_and_run(runtime, path, options.width) for _ in range(options.rounds)]
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, ms, median (min) of {options.rounds} rounds")
    names = ["open and check", "session", "first run", "second run"]
    table.show(["", *names],
               [["no checksums", *(f"{statistics.median(t):.2f} ({min(t):.2f})" for t in zip(*rounds))],
                ["checksums", *(f"{t:.2f}" for t in open_and_run(runtime, path, options.width, verify=1))]])


if __name__ == "__main__":
    main()
