"""OpenVINO: reads ONNX by itself; NNCF is its quantiser."""
import contextlib
import functools
import io

import openvino

import runtimes


def runs_bf16():
    """Whether this CPU has bfloat16 instructions that OpenVINO uses."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def open_model(path, threads, batch, settings):
    """One inference as a call. Shapes are made static, which OpenVINO runs faster. The call is the synchronous one of
    the binding itself: start_async and wait cost 20 us more, the wrapper's copies of the outputs some more."""
    core = openvino.Core()
    model = core.read_model(path)
    port = model.input(0)
    shape = [d.get_length() if d.is_static else None for d in port.get_partial_shape()]
    x = runtimes.inputs(shape, batch)
    model.reshape({port: openvino.PartialShape(list(x.shape))})
    config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": "1", "PERFORMANCE_HINT": "LATENCY", **settings}
    request = core.compile_model(model, "CPU", config).create_infer_request()
    request.set_input_tensor(openvino.Tensor(x))
    return functools.partial(openvino._pyopenvino.InferRequest.infer, request, {}, True, False)


def quantize(source, target, samples):
    """NNCF's post-training quantisation (its mixed preset: u8 activations), calibrated on `samples` [N, ...]."""
    import nncf
    rows = nncf.Dataset([row[None] for row in samples])
    with contextlib.redirect_stdout(io.StringIO()):   # progress bars
        model = nncf.quantize(openvino.Core().read_model(source), rows, preset=nncf.QuantizationPreset.MIXED,
                              subset_size=len(samples))
    openvino.save_model(model, target, compress_to_fp16=False)


def compress_weights(source, target, bits, group):
    """NNCF's weight compression: symmetric codes of 4 or 8 bits, scales per `group` weights (-1: per channel)."""
    import nncf
    mode = nncf.CompressWeightsMode(f"int{bits}_sym")
    options = {} if bits == 8 else {"group_size": group, "all_layers": True, "ratio": 1.0}
    with contextlib.redirect_stdout(io.StringIO()):
        model = nncf.compress_weights(openvino.Core().read_model(source), mode=mode, **options)
    openvino.save_model(model, target, compress_to_fp16=False)
