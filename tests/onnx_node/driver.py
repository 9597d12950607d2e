"""Runs the node tests that come with the onnx package (backend/test/data/node) on nibble's float runtime.

usage: driver.py RUNNER [NAME ...]      NAME: only these tests, every reason shown

Counted are tests whose ops nibble knows, outside of: 16-, 8- and 4-bit floats, double, 4- and 2-bit integers, strings,
complex numbers, sequences, optionals, sub-graphs, training mode, opsets before 7 and beyond 26, other operator sets. Prints the share that passes, then
every test that fails with its reason, and the number of tests left out by reason. Exit code 1 below 95 %.
"""

import collections
import pathlib
import subprocess
import sys
import tempfile

try:
    import onnx
except ImportError as error:
    print(f"onnx_node: skipped, {error}")
    sys.exit(0)

REQUIRED = 0.95
MIN_OPSET, MAX_OPSET = 7, 26
TYPES = onnx.TensorProto.DataType
COUNTED_TYPES = {TYPES.Value(t) for t in
                 "FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 BOOL UINT32 UINT64".split()}


def type_of(value):
    """The reason why a value's type is not counted, or None."""
    kind = value.type.WhichOneof("value")
    if kind is None:
        return None
    if kind != "tensor_type":
        return kind.removesuffix("_type")
    number = value.type.tensor_type.elem_type
    return None if number in COUNTED_TYPES else TYPES.Name(number).lower()


def left_out(model):
    """The reason why a model is not counted, or None."""
    opsets = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not opsets:
        return "other operator sets"
    if not MIN_OPSET <= opsets[0] <= MAX_OPSET:
        return f"opset < {MIN_OPSET}" if opsets[0] < MIN_OPSET else f"opset > {MAX_OPSET}"
    graph = model.graph
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if reason := type_of(value):
            return reason
    for tensor in graph.initializer:
        if tensor.data_type not in COUNTED_TYPES:
            return TYPES.Name(tensor.data_type).lower()
    for node in graph.node:
        if "training" in " ".join(a.name for a in node.attribute if a.i):
            return "training mode"
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            return "training mode"
        for attribute in node.attribute:
            if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
                return "sub-graph"
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.i not in COUNTED_TYPES | {0}:
                return TYPES.Name(attribute.i).lower()
    return None


def run(runner, folders):
    """Yields (verdict, folder name, reason); a test that ends the runner is a crash, and the rest go on."""
    rest = list(folders)
    while rest:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listing:
            listing.write("\n".join(str(f) for f in rest) + "\n")
            listing.flush()
            done = subprocess.run([runner, listing.name], stdout=subprocess.PIPE, text=True, check=False)
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        for verdict, name, reason in lines:
            yield verdict, name, reason
        rest = rest[len(lines):]
        if rest:
            yield "FAIL", rest[0].name, f"the runner ended with code {done.returncode}"
            rest = rest[1:]


def main():
    runner, wanted = sys.argv[1], set(sys.argv[2:])
    data = pathlib.Path(onnx.__file__).parent / "backend/test/data/node"
    folders = sorted(f for f in data.glob("test_*") if (f / "model.onnx").exists())
    if wanted:
        folders = [f for f in folders if f.name in wanted]
    if not folders:
        print(f"onnx_node: skipped, no tests in {data} (onnx {onnx.__version__})")
        return 0
    reasons = collections.Counter()
    counted = []
    for folder in folders:
        reason = left_out(onnx.load(folder / "model.onnx"))
        if reason and not wanted:
            reasons[reason] += 1
        else:
            counted.append(folder)
    passed, failed = 0, []
    for verdict, name, reason in run(runner, counted):
        if verdict == "PASS":
            passed += 1
        elif verdict == "UNKNOWN":
            reasons["ops that nibble does not know"] += 1
        else:
            failed.append((name, reason))
    total = passed + len(failed)
    for name, reason in failed:
        print(f"failed  {name}: {reason}")
    print("left out: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    share = passed / total if total else 0.0
    print(f"onnx_node: {passed} of {total} counted node tests pass: {share:.2%} (required {REQUIRED:.0%}), "
          f"onnx {onnx.__version__}")
    return 0 if share >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())
