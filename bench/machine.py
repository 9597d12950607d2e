"""Where a benchmark ran, for its JSON file."""
import importlib.metadata
import os
import platform

_FLAGS = ["avx2", "avx_vnni", "avx512bw", "avx512_vnni", "avx512_vbmi", "avx512_vpopcntdq", "avx512_bf16", "amx_int8", "amx_bf16"]
_PACKAGES = ["onnxruntime", "openvino", "nncf"]


def _cpu():
    """Model name and the flags that matter here, as Linux tells them."""
    try:
        lines = open("/proc/cpuinfo").read().splitlines()
    except OSError:
        return platform.processor(), []
    fields = dict(line.split("\t", 1) for line in lines if "\t" in line)
    fields = {k: v.lstrip("\t: ") for k, v in fields.items()}
    return fields.get("model name", platform.machine()), [f for f in _FLAGS if f in fields.get("flags", "").split()]


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe():
    """{"cpu", "flags", "cores", "load", "isa", "versions"}: `load` is the load average now, `isa` the ceiling that
    $NIBBLE_ISA sets or null."""
    cpu, flags = _cpu()
    return {"cpu": cpu, "flags": flags, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0],
            "isa": os.environ.get("NIBBLE_ISA"), "versions": {p: _version(p) for p in _PACKAGES}}
