"""ONNX Runtime: float files as they are, and its own static quantisation."""
import contextlib
import os
import sys

import onnxruntime

import runtimes


def session(path, threads=1, basic=False, settings=None):
    """A session on the CPU; `basic` is the level at which it runs every valid QDQ file right."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for key, value in (settings or {}).items():
        options.add_session_config_entry(key, value)
    if basic:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def open_model(path, threads, batch, settings):
    """One inference as a call; input and outputs are bound once, so that the call copies nothing."""
    s = session(path, threads, settings=settings)
    port = s.get_inputs()[0]
    binding = s.io_binding()
    value = onnxruntime.OrtValue.ortvalue_from_numpy(runtimes.inputs(port.shape, batch))
    binding.bind_ortvalue_input(port.name, value)
    for output in s.get_outputs():
        binding.bind_output(output.name)
    return lambda: s.run_with_iobinding(binding)


def quantize(source, target, samples, per_channel=True, method="MinMax"):
    """Static QDQ quantisation (u8 activations, s8 weights) calibrated on `samples` [N, ...]."""
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
    with contextlib.redirect_stdout(sys.stderr):   # what it says on the way is no result
        q.quantize_static(prepared, str(target), Reader(), quant_format=q.QuantFormat.QDQ, per_channel=per_channel,
                          activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
                          calibrate_method=getattr(q.CalibrationMethod, method), extra_options=extra)
    os.remove(prepared)
