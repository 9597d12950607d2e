"""The runtimes that race on one network: the files that each needs, made once, and the processes that serve them."""
import dataclasses
import pathlib

import numpy

import common
import runtimes
from runtimes import nibble, onnxruntime, openvino

SAMPLES = 8   # for calibration: enough to be valid; time does not depend on what the ranges are
SCHEMES = ["W8A8", "W4A8", "W4A4", "W3A3", "W2A2", "W1A1"]
PEERS = ["ORT fp32", "ORT int8", "OV fp32", "OV bf16", "OV int8"]


@dataclasses.dataclass
class Network:
    """A network with all its quantised files."""
    name: str
    source: pathlib.Path
    qdq: pathlib.Path
    nncf: pathlib.Path | None
    ours: dict              # scheme or "float" -> .nbl


def calibration(model, folder):
    """SAMPLES calibration samples of `model`, [SAMPLES, ...] float32, and the .npy file that holds them."""
    path = folder / "calib.npy"
    if not path.exists():
        if model.calib:
            archive = folder / "calib.npz"
            common.nibble("convert", f"{common.spec(model.calib)},samples={SAMPLES}", archive)
            samples = numpy.load(archive)["input"].astype(numpy.float32)
            archive.unlink()
        else:
            samples = numpy.random.default_rng(0).standard_normal((SAMPLES, *model.sample), numpy.float32)
        numpy.save(path, samples)
    return numpy.load(path), path


def nncf_or_none(source, target, samples):
    """NNCF's model, or None where NNCF is not installed or gives up on the network; it says so."""
    try:
        if common.stale(target, source):
            openvino.quantize(source, target, samples)
        return target
    except Exception as error:
        print(f"NNCF left out: {str(error).strip().splitlines()[-1]}", flush=True)
        return None


def prepare(model, schemes, want_openvino):
    """Makes what is missing or out of date of the files of `model` in build/bench."""
    folder = common.WORK / model.name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    samples, calib = calibration(model, folder)
    qdq = folder / "onnxruntime.onnx"
    if common.stale(qdq, model.file):
        onnxruntime.quantize(model.file, qdq, samples)
    nncf = nncf_or_none(model.file, folder / "nncf.xml", samples) if want_openvino else None
    ours = {"float": nibble.convert(model.file, folder / "float.nbl")}
    for scheme in schemes:
        ours[scheme] = nibble.quantize(model.file, folder / f"{scheme}.onnx", scheme, calib)
    return Network(model.name, model.file, qdq, nncf, {k: v for k, v in ours.items() if v})


def of(network, threads, batch, peers):
    """All contenders on one network: those of `peers` and all of ours."""
    fp32, default = {"INFERENCE_PRECISION_HINT": "f32"}, {}
    rows = [("ORT fp32", "ORT fp32", "onnxruntime", network.source, default),
            ("ORT int8", "ORT int8", "onnxruntime", network.qdq, default),
            ("OV fp32", "OV fp32", "openvino", network.source, fp32)]
    if openvino.runs_bf16():
        rows.append(("OV bf16", "OV bf16", "openvino", network.source, {"INFERENCE_PRECISION_HINT": "bf16"}))
    rows.append(("OV int8", "OV int8 (QDQ)", "openvino", network.qdq, default))
    if network.nncf:
        rows.append(("OV int8", "OV int8 (NNCF)", "openvino", network.nncf, default))
    theirs = [runtimes.worker(name, runtime, path, threads, batch, **settings)
              for peer, name, runtime, path, settings in rows if peer in peers]
    return theirs + [nibble.contender(name, path, threads, batch) for name, path in network.ours.items()]
