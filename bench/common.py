"""What the benchmark scripts share: the real models with their data specs, and calls of the `nibble` command.

The models and data are not part of the repository: they lie in $NIBBLE_DATA, else build/data."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("NIBBLE_DATA") or ROOT / "build/data")
NIBBLE = ROOT / "build/release/nibble"


@dataclasses.dataclass
class Model:
    name: str
    path: str
    calib: str          # data spec of the calibration samples, relative to DATA; "" = seeded normal inputs
    evaluate: str       # data spec of the evaluation samples; "" likewise
    published: float | None = None   # float top-1 in percent

    @property
    def file(self):
        return DATA / self.path


_CIFAR_CALIB = "cifar10/data_batch_1.bin@range=0:500"
_IMAGES = "imagenet/sample1000_224"
_KWS = ("mlperf_tiny/kws01_eembc_1000x49x10.i8@raw=i8,shape=1x49x10,scale=0.5847029,zero=83,"
        "labels=kws01_eembc_labels.u8")

MODELS = [
    Model("ResNet-8", "mlperf_tiny/ic_resnet8_fp32.onnx", _CIFAR_CALIB, "cifar10/test_batch.bin", 87.21),
    Model("ResNet-20", "cifar10_models/resnet20_cifar10_fp32.onnx", _CIFAR_CALIB + ",preprocess=imagenet",
          "cifar10/test_batch.bin@preprocess=imagenet", 91.73),
    Model("ResNet-56", "cifar10_models/resnet56_cifar10_fp32.onnx", _CIFAR_CALIB + ",preprocess=imagenet",
          "cifar10/test_batch.bin@preprocess=imagenet", 93.39),
    Model("DS-CNN", "mlperf_tiny/kws_dscnn_fp32.onnx", _KWS + ",range=0:500", _KWS, 91.3),
    Model("VWW", "mlperf_tiny/vww_mobilenetv1_025_96_fp32.onnx", _IMAGES + "@resize=96,preprocess=unit,range=0:500",
          _IMAGES + "@resize=96,preprocess=unit,range=500:1000"),
    Model("AD autoencoder", "mlperf_tiny/ad_autoencoder_fp32.onnx", "", ""),
    Model("MobileNetV2", "imagenet/mobilenet_v2_1.0_224_fp32.onnx", _IMAGES + "@preprocess=tf,range=0:500",
          _IMAGES + "@preprocess=tf,range=500:1000", 87.6),
    Model("SqueezeNet", "imagenet/squeezenet_v1.0_deepcompressed_fp32.onnx",
          _IMAGES + "@preprocess=caffe,range=0:500", _IMAGES + "@preprocess=caffe,range=500:1000", 56.6),
]


def spec(text):
    """A data spec with its paths made absolute."""
    return str(DATA / text)


def nibble(*arguments, environment=None):
    """Runs `nibble ... --json` and returns its result object; ends the script with the command's message on failure."""
    command = [str(NIBBLE), *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def table(header, rows):
    """Prints rows of text in columns."""
    widths = [max(len(str(r[i])) for r in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths))))


def session(path, threads=1, basic=False, profile=None):
    """An ONNX Runtime session; `basic` is the level at which it runs every valid QDQ file right."""
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if basic:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def quantize_in_onnxruntime(source, target, samples, per_channel=True, method="MinMax"):
    """ONNX Runtime's own static quantisation (QDQ, u8 activations, s8 weights) calibrated on `samples` [N, ...]."""
    import onnxruntime.quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.rows = iter(samples)
            self.name = session(source).get_inputs()[0].name

        def get_next(self):
            row = next(self.rows, None)
            return None if row is None else {self.name: row[None]}

    prepared = str(target) + ".prepared.onnx"
    quant_pre_process(str(source), prepared, skip_symbolic_shape=True)
    extra = {"CalibPercentile": 99.999} if method == "Percentile" else {}
    q.quantize_static(prepared, str(target), Reader(), quant_format=q.QuantFormat.QDQ, per_channel=per_channel,
                      activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
                      calibrate_method=getattr(q.CalibrationMethod, method), extra_options=extra)
    os.remove(prepared)
