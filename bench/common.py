"""What the benchmark scripts share: the models with their data specs, and calls of the `nibble` command.

The real models and their data are not part of the repository: they lie in $NIBBLE_DATA, else build/data. What the scripts
make on the way (generated networks, quantised files) stays in build/bench and is made again when its sources change."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("NIBBLE_DATA") or ROOT / "build/data")
BUILD = ROOT / "build/release"
NIBBLE = BUILD / "nibble"
WORK = ROOT / "build/bench"
USAGE = 2   # exit code of the command for options that it refuses


@dataclasses.dataclass
class Model:
    name: str
    path: str
    calib: str          # data spec of the calibration samples, relative to DATA; "" = seeded normal inputs
    evaluate: str       # data spec of the evaluation samples; "" likewise
    published: float | None = None   # float top-1 in percent
    sample: tuple = ()               # shape of a sample where inputs are seeded normal ones
    pool: str = ""                   # data spec of what random calibration draws are taken from, with their size

    @property
    def file(self):
        return DATA / self.path


_CIFAR_CALIB = "cifar10/data_batch_1.bin@range=0:500"
_CIFAR_POOL = "cifar10/data_batch_1.bin@samples=500"
_IMAGES = "imagenet/sample1000_224"
_KWS = ("mlperf_tiny/kws01_eembc_1000x49x10.i8@raw=i8,shape=1x49x10,scale=0.5847029,zero=83,"
        "labels=kws01_eembc_labels.u8")

MODELS = [
    Model("ResNet-8", "mlperf_tiny/ic_resnet8_fp32.onnx", _CIFAR_CALIB, "cifar10/test_batch.bin", 87.21,
          pool=_CIFAR_POOL),
    Model("ResNet-20", "cifar10_models/resnet20_cifar10_fp32.onnx", _CIFAR_CALIB + ",preprocess=imagenet",
          "cifar10/test_batch.bin@preprocess=imagenet", 91.73, pool=_CIFAR_POOL + ",preprocess=imagenet"),
    Model("ResNet-56", "cifar10_models/resnet56_cifar10_fp32.onnx", _CIFAR_CALIB + ",preprocess=imagenet",
          "cifar10/test_batch.bin@preprocess=imagenet", 93.39, pool=_CIFAR_POOL + ",preprocess=imagenet"),
    Model("DS-CNN", "mlperf_tiny/kws_dscnn_fp32.onnx", _KWS + ",range=0:500", _KWS, 91.3, pool=_KWS + ",samples=500"),
    Model("VWW", "mlperf_tiny/vww_mobilenetv1_025_96_fp32.onnx", _IMAGES + "@resize=96,preprocess=unit,range=0:500",
          _IMAGES + "@resize=96,preprocess=unit,range=500:1000"),
    Model("AD autoencoder", "mlperf_tiny/ad_autoencoder_fp32.onnx", "", "", sample=(640,)),
    Model("MobileNetV2", "imagenet/mobilenet_v2_1.0_224_fp32.onnx", _IMAGES + "@preprocess=tf,range=0:500",
          _IMAGES + "@preprocess=tf,range=500:1000", 87.6, pool=_IMAGES + "@preprocess=tf,range=0:500,samples=250"),
    Model("SqueezeNet", "imagenet/squeezenet_v1.0_deepcompressed_fp32.onnx",
          _IMAGES + "@preprocess=caffe,range=0:500", _IMAGES + "@preprocess=caffe,range=500:1000", 56.6,
          pool=_IMAGES + "@preprocess=caffe,range=0:500,samples=250"),
]


def spec(text):
    """A data spec with its paths made absolute."""
    return str(DATA / text)


def call(*arguments, environment=None):
    """Runs `nibble ... --json`; the finished process."""
    command = [str(NIBBLE), *map(str, arguments), "--json"]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})


def check(done):
    """Ends the script with the command's message if it failed."""
    if done.returncode != 0:
        sys.exit(f"{' '.join(done.args)}\n{done.stderr.strip()}")


def nibble(*arguments, environment=None):
    """Runs `nibble ... --json` and returns its result object; ends the script with the command's message on failure."""
    done = call(*arguments, environment=environment)
    check(done)
    return json.loads(done.stdout.splitlines()[-1])


def stale(target, *sources):
    """Whether `target` is missing or older than one of `sources`."""
    target = pathlib.Path(target)
    return not target.exists() or any(pathlib.Path(s).stat().st_mtime > target.stat().st_mtime for s in sources)


def peer_isa():
    """The environment that holds oneDNN, alone and inside OpenVINO, to $NIBBLE_ISA; nothing holds ONNX Runtime."""
    names = {"avx2": "AVX2", "avxvnni": "AVX2_VNNI", "avx512bw": "AVX512_CORE", "avx512vnni": "AVX512_CORE_VNNI"}
    isa = os.environ.get("NIBBLE_ISA", "amx")
    return {"ONEDNN_MAX_CPU_ISA": names[isa]} if isa in names else {}


def choose(text, names):
    """The comma-separated `text` as a list; ends the script where one of them is not in `names`."""
    chosen = text.split(",")
    for name in chosen:
        if name not in names:
            sys.exit(f"'{name}' is none of {', '.join(names)}")
    return chosen
