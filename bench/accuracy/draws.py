#!/usr/bin/env python3
"""W8A8 accuracy over several calibration draws beside ONNX Runtime's four static quantisers on the same samples.

    build/venv/bin/python bench/accuracy/draws.py [--models DS-CNN,...] [--draws 5] [--methods mse,minmax,...]

One draw is a random choice of calibration samples (seeds 1, 2, ...); every contender is calibrated on it and evaluated on the
same test set, ONNX Runtime at its basic level (ptq8.py says why). Our first method is what the others are compared with.

  mean, sd, least, most   top-1 in percent over the draws
  changed                 test samples whose prediction is not the float model's, mean over the draws
  first - it              difference of the means; behind +- its standard errors: of the draws (the test set taken as given)
                          and of the test set (paired: of the samples' mean differences)
  discordant              test samples that exactly one of the two predicts right, mean over the draws; one draw's
                          difference has the standard error sqrt(discordant) / samples

The last line of a model says how far the best of the four of each draw lies above the best of the four means: a gain that
choosing by the test set gives to anybody."""
import argparse
import pathlib
import sys
import tempfile

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import common  # noqa: E402
import ptq8  # noqa: E402
import table  # noqa: E402


def classes(model, path, folder, threads):
    """What `nibble eval` predicts for every test sample."""
    predictions = folder / "predictions.npy"
    common.nibble("eval", path, "--data", common.spec(model.evaluate), "--predictions", predictions, "--threads", threads)
    return numpy.load(predictions).argmax(-1)


def contenders(model, seed, x, args, folder):
    """(name, predicted classes) of our methods and of ONNX Runtime's quantisers, all calibrated on one draw."""
    draw = f"{model.pool},shuffle={seed}"
    ours = folder / "ours.onnx"
    for method in args.methods.split(","):
        common.nibble("quantize", model.file, "--scheme", args.scheme, "--calib", common.spec(draw), "--method", method,
                      "-o", ours, "--threads", args.threads)
        yield f"nibble {method}", classes(model, ours.with_suffix(".nbl"), folder, args.threads)
    calib, _, _ = ptq8.arrays(draw, model.sample, folder, "calib", 0, 0, True)
    for name, file in ptq8.quantisers(model, calib, folder):
        yield f"ORT {name}", ptq8.predict(file, x, args.threads).argmax(-1)


def standard_error(values):
    return numpy.std(values, ddof=1) / len(values) ** 0.5


def row_of(name, right, first, changed):
    """`right`, `first`: [draws, samples], whether a prediction is right."""
    accuracy = right.mean(1) * 100
    gain = (first * 1.0 - right) * 100
    difference = f"{gain.mean():+.2f} +- {standard_error(gain.mean(1)):.2f} +- {standard_error(gain.mean(0)):.2f}"
    return [name, f"{accuracy.mean():.2f}", f"{accuracy.std(ddof=1):.2f}", f"{accuracy.min():.2f}", f"{accuracy.max():.2f}",
            f"{changed:.1f}", difference, f"{(first != right).sum(1).mean():.1f}"]


def compare(model, args, folder):
    x, labels, _ = ptq8.arrays(model.evaluate, model.sample, folder, "eval", 0, 0, True)
    original = classes(model, model.file, folder, args.threads)
    predicted = {}
    for seed in range(1, args.draws + 1):
        for name, answer in contenders(model, seed, x, args, folder):
            predicted.setdefault(name, []).append(answer)
            print(f"{model.name}, draw {seed}, {name}: {(answer == labels).mean() * 100:.2f}", file=sys.stderr, flush=True)
    right = {name: numpy.array(answers) == labels for name, answers in predicted.items()}
    first = next(iter(right.values()))
    changed = {name: (numpy.array(answers) != original).sum(1).mean() for name, answers in predicted.items()}
    table.show(["", "mean", "sd", "least", "most", "changed", "first - it (+- draws +- test set)", "discordant"],
               [row_of(name, r, first, changed[name]) for name, r in right.items()],
               f"{model.name}, {len(labels)} samples, float {(original == labels).mean() * 100:.2f}, {args.draws} draws")
    theirs = numpy.array([r.mean(1) * 100 for name, r in right.items() if name.startswith("ORT")])
    best = theirs.max(0).mean()
    print(f"best of ONNX Runtime's four in each draw: {best:.2f}, {best - theirs.mean(1).max():.2f} above the best mean",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [m.name for m in common.MODELS if m.pool]
    parser.add_argument("--models", default=",".join(names))
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--methods", default="mse", help="our range estimators of the activations (default: mse)")
    parser.add_argument("--scheme", default="W8A8")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.draws < 2:
        parser.error("--draws: a standard deviation needs at least 2")
    chosen = common.choose(args.models, names)
    for model in common.MODELS:
        if model.name in chosen and model.file.exists():
            with tempfile.TemporaryDirectory() as folder:
                compare(model, args, pathlib.Path(folder))


if __name__ == "__main__":
    main()
