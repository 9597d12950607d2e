"""Compares nibble's float runtime with ONNX Runtime on whole models: every output of every model within LIMIT of the
tensor's largest magnitude, on two seeded random samples.

usage: models.py RUNNER DATA      DATA: a folder; every .onnx below it is a model
"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnxruntime
    from onnx import numpy_helper
except ImportError as error:
    print(f"onnx_models: skipped, {error}")
    sys.exit(0)

LIMIT = 1e-5  # two orders of summation differ by less than 3e-6 on the networks this was set with
BATCH = 2
MAX_TOKEN = 400


def sample(value, rng):
    shape = [d if isinstance(d, int) else BATCH for d in value.shape]
    if "int" in value.type:
        return rng.integers(0, MAX_TOKEN, shape).astype(value.type.removeprefix("tensor(").removesuffix(")"))
    return rng.standard_normal(shape).astype(np.float32)


def write_test(model, folder):
    """A folder in the form of ONNX's backend tests, with ONNX Runtime's outputs."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    feeds = {value.name: sample(value, rng) for value in session.get_inputs()}
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.read_bytes())
    for i, array in enumerate(feeds.values()):
        (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())
    for i, array in enumerate(session.run(None, feeds)):
        (data / f"output_{i}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())


def main():
    runner, root = sys.argv[1], pathlib.Path(sys.argv[2])
    models = sorted(root.glob("**/*.onnx"))
    if not models:
        print(f"onnx_models: skipped, no models in {root} (set NIBBLE_DATA)")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folders = []
        for model in models:
            folders.append(pathlib.Path(scratch) / model.stem)
            write_test(model, folders[-1])
        listing = pathlib.Path(scratch) / "list.txt"
        listing.write_text("\n".join(map(str, folders)) + "\n")
        done = subprocess.run([runner, str(listing), str(LIMIT)], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    passed = sum(line.startswith("PASS") for line in done.stdout.splitlines())
    print(f"onnx_models: {passed} of {len(models)} models within {LIMIT} of ONNX Runtime {onnxruntime.__version__}")
    return 0 if passed == len(models) else 1


if __name__ == "__main__":
    sys.exit(main())
