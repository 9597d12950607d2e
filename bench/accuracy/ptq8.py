#!/usr/bin/env python3
"""W8A8 accuracy on full test sets beside ONNX Runtime's own static quantisation calibrated on the same images.

    build/venv/bin/python bench/accuracy/ptq8.py [--models ResNet-8,...] [--scheme W8A8] [--skip-ort]

Columns: float and W8A8 top-1 (integer runtime), agreement of predictions between our integers and the exported QDQ file in ONNX
Runtime, SQNR of the integers against float, and the best of ONNX Runtime's quantisers (per channel and per tensor, MinMax and
Percentile 99.999), a maximum of four noisy figures: draws.py compares means. Models without labels are compared by agreement
and SQNR alone.

ONNX Runtime runs at its basic level. The default one saturates 16-bit sums of 8-bit products on CPUs without VNNI, and DS-CNN
per channel then falls from 91.9 to 8.6 %."""
import argparse
import pathlib
import sys
import tempfile

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import common  # noqa: E402
import table  # noqa: E402
from runtimes import onnxruntime  # noqa: E402


def arrays(spec_text, sample, folder, name, count, seed, labelled):
    """The samples of a spec (or seeded normal inputs) as float32, their labels or None, and a spec that reads them. Without
    `labelled` the data's labels are not this model's classes."""
    if not spec_text:
        x = numpy.random.default_rng(seed).standard_normal((count, *sample), numpy.float32)
        numpy.save(folder / f"{name}.npy", x)
        return x, None, str(folder / f"{name}.npy")
    path = folder / f"{name}.npz"
    common.nibble("convert", common.spec(spec_text), path)
    loaded = numpy.load(path)
    x = loaded["input"].astype(numpy.float32)
    if not labelled:
        numpy.save(folder / f"{name}.npy", x)
        return x, None, str(folder / f"{name}.npy")
    return x, loaded["labels"], common.spec(spec_text)


def predict(path, x, threads=2):
    session = onnxruntime.session(path, threads=threads, basic=True)
    name = session.get_inputs()[0].name
    return numpy.concatenate([session.run(None, {name: x[i:i + 50]})[0] for i in range(0, len(x), 50)])


def top1(logits, labels):
    return float((logits.argmax(-1) == labels).mean()) * 100


def quantisers(model, calib, folder):
    """(name, file) of each of ONNX Runtime's static quantisers in turn; the next one overwrites the file."""
    target = folder / "theirs.onnx"
    for method in ("MinMax", "Percentile"):
        # Percentile keeps 61 MB an image of this size.
        samples = calib[:100] if calib.shape[-1] >= 224 and method == "Percentile" else calib
        for per_channel in (True, False):
            onnxruntime.quantize(model.file, target, samples, per_channel, method)
            yield f"{method} {'per channel' if per_channel else 'per tensor'}", target


def best_of_onnxruntime(model, calib, x, labels, folder):
    """(top-1, name) of the best of ONNX Runtime's static quantisers."""
    return max((top1(predict(file, x), labels), name) for name, file in quantisers(model, calib, folder))


def row_of(model, args, folder):
    calib, _, calib_spec = arrays(model.calib, model.sample, folder, "calib", 500, 0, True)
    x, labels, eval_spec = arrays(model.evaluate, model.sample, folder, "eval", 500, 1, model.published)
    ours = folder / "ours.onnx"
    extra = ["--granularity", args.granularity] if args.granularity else []
    if args.method:
        extra += ["--method", args.method]
    common.nibble("quantize", model.file, "--scheme", args.scheme, "--calib", calib_spec, "-o", ours, *extra)
    predictions = folder / "integers.npy"
    quantized = common.nibble("eval", ours.with_suffix(".nbl"), "--data", eval_spec, "--reference", model.file,
                              "--predictions", predictions)
    original = common.nibble("eval", model.file, "--data", eval_spec)
    integers, onnxruntime = numpy.load(predictions), predict(ours, x)
    agreement = float((integers.argmax(-1) == onnxruntime.argmax(-1)).mean()) * 100
    percent = lambda answer: f"{answer['metric']['value'] * 100:.2f}" if answer["metric"] else "-"
    best = (None, "")
    if labels is not None and model.published and not args.skip_ort:
        best = best_of_onnxruntime(model, calib, x, labels, folder)
    return [model.name, model.published or "-", percent(original), percent(quantized), f"{agreement:.2f}",
            f"{quantized['agreement'] * 100:.2f}", f"{quantized['sqnr_db']:.1f}",
            f"{best[0]:.2f} ({best[1]})" if best[1] else "-"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(m.name for m in common.MODELS))
    parser.add_argument("--scheme", default="W8A8")
    parser.add_argument("--granularity")
    parser.add_argument("--method", help="range estimator of the activations (default: mse)")
    parser.add_argument("--skip-ort", action="store_true")
    args = parser.parse_args()
    rows = []
    for model in common.MODELS:
        if model.name in args.models.split(",") and model.file.exists():
            with tempfile.TemporaryDirectory() as folder:
                rows.append(row_of(model, args, pathlib.Path(folder)))
                print(*rows[-1], flush=True)
    table.show(["model", "published", "float", args.scheme, "= ORT(QDQ) %", "= float %", "SQNR dB", "best of ORT"], rows)


if __name__ == "__main__":
    main()
