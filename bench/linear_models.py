"""One-layer models for bench/linear.py: a product [M, K] x [K, N] in every form that a runtime takes it in."""
import numpy
import onnx
from onnx import helper, numpy_helper

import common
import shapes
from runtimes import nibble, onnxruntime, openvino


class Product:
    """The files of one shape, made once in build/bench/linear."""

    def __init__(self, k, n):
        self.k, self.n = k, n
        self.folder = common.WORK / f"linear/{k}x{n}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.fp32 = self._made("fp32.onnx", lambda path: shapes.write(shapes.matmul(k, n), path), shapes.__file__)
        self.calib = self._made("calib.npy", lambda path: numpy.save(path, self._samples()))

    def _made(self, name, make, *sources):
        path = self.folder / name
        if common.stale(path, *sources):
            make(path)
        return path

    def _samples(self):
        return numpy.random.default_rng(0).standard_normal((32, self.k), numpy.float32)

    def ours(self, scheme):
        """The .nbl of a scheme such as W4A8; `--layer` says that the only layer, first and last, shall not keep 8 bits."""
        return nibble.quantize(self.fp32, self.folder / f"{scheme}.onnx", scheme, self.calib, "--layer", f".={scheme}")

    def float_nbl(self):
        return nibble.convert(self.fp32, self.folder / "fp32.nbl")

    def dynamic(self):
        """ONNX Runtime's dynamic int8: activations are quantised at run time, s8 weights per channel."""
        from onnxruntime.quantization import QuantType, quantize_dynamic
        return self._made("dynamic.onnx", lambda path: quantize_dynamic(
            self.fp32, path, per_channel=True, weight_type=QuantType.QInt8), self.fp32)

    def qdq(self):
        """Static QDQ, for OpenVINO too."""
        return self._made("qdq.onnx", lambda path: onnxruntime.quantize(self.fp32, path, self._samples()), self.fp32)

    def nbits(self, bits, block):
        """MatMulNBits with random codes, scales per `block` weights along K; accuracy level 4: int8 activations."""
        return self._made(f"nbits{bits}_b{block}.onnx", lambda path: onnx.save(self._nbits(bits, block), path))

    def compressed(self, bits, group):
        """NNCF's weight-only model; scales per `group` weights, -1: per channel."""
        return self._made(f"nncf_w{bits}_g{group}.xml", lambda path: openvino.compress_weights(
            self.fp32, path, bits, group), self.fp32)

    def _nbits(self, bits, block):
        random = numpy.random.default_rng(bits)
        blocks = self.k // block
        codes = random.integers(0, 256, (self.n, blocks, block * bits // 8), numpy.uint8)
        scales = random.uniform(0.005, 0.015, self.n * blocks).astype(numpy.float32)
        node = helper.make_node("MatMulNBits", ["input", "codes", "scales"], ["product"], domain="com.microsoft", K=self.k,
                                N=self.n, bits=bits, block_size=block, accuracy_level=4)
        info = lambda name, width: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["M", width])
        graph = helper.make_graph([node], "product", [info("input", self.k)], [info("product", self.n)],
                                  [numpy_helper.from_array(codes, "codes"), numpy_helper.from_array(scales, "scales")])
        return helper.make_model(graph, ir_version=8, opset_imports=[
            helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
