#!/usr/bin/env python3
"""Networks for timing, with the standard shapes and seeded random weights: ResNet-50 v1.5, MobileNetV1 and single matrix
products, ONNX opset 17, first dimension free.

    build/venv/bin/python bench/shapes.py FOLDER      writes resnet50.onnx and mobilenetv1.onnx

Batch normalisation is taken as folded. A convolution in front of a ReLU has weights of variance 2 / fan-in, which keeps the
mean square of its input; the last convolution of a residual branch has a tenth of that, so that 16 sums do not blow up."""
import pathlib
import sys

import numpy
import onnx
from onnx import helper, numpy_helper


class Builder:
    """Adds nodes one after another; every method returns the name of its output."""

    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)
        self.nodes, self.constants = [], []

    def node(self, op, name, *inputs, **attributes):
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def normal(self, name, shape, variance):
        values = self.random.standard_normal(shape, numpy.float32) * numpy.float32(variance ** 0.5)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, name, x, channels, size, stride=1, gain=2.0, relu=True, depthwise=False):
        """`channels` = (in, out); padded by half the kernel."""
        inner, outer = channels
        groups = inner if depthwise else 1
        shape = (outer, inner // groups, size, size)
        w = self.normal(name + ".w", shape, gain / (shape[1] * size * size))
        b = self.normal(name + ".b", (outer,), 1e-4)
        y = self.node("Conv", name, x, w, b, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[size // 2] * 4,
                      group=groups)
        return self.node("Relu", name + ".relu", y) if relu else y

    def classifier(self, x, channels, classes=1000):
        x = self.node("Flatten", "flatten", self.node("GlobalAveragePool", "pool", x))
        w, b = self.normal("fc.w", (classes, channels), 1 / channels), self.normal("fc.b", (classes,), 1e-4)
        return self.node("Gemm", "fc", x, w, b, transB=1)

    def model(self, output, input_shape, output_shape):
        info = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "shapes", [info("input", input_shape)], [info(output, output_shape)],
                                  self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def resnet50():
    """ResNet-50 v1.5: the stride stands on the 3x3."""
    net = Builder(50)
    x = net.conv("stem", "input", (3, 64), 7, 2)
    x = net.node("MaxPool", "stem.pool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for stage, blocks in enumerate([3, 4, 6, 3]):
        width, outer = 64 << stage, 256 << stage
        for block in range(blocks):
            name, stride = f"stage{stage}.block{block}", 2 if stage and not block else 1
            y = net.conv(name + ".conv1", x, (channels, width), 1)
            y = net.conv(name + ".conv2", y, (width, width), 3, stride)
            y = net.conv(name + ".conv3", y, (width, outer), 1, gain=0.2, relu=False)
            if not block:
                x = net.conv(name + ".short", x, (channels, outer), 1, stride, gain=1.0, relu=False)
            x = net.node("Relu", name + ".relu", net.node("Add", name + ".add", y, x))
            channels = outer
    return net.model(net.classifier(x, channels), ["N", 3, 224, 224], ["N", 1000])


def mobilenetv1():
    """MobileNetV1 1.0 at 224x224."""
    net = Builder(1)
    x, channels = net.conv("stem", "input", (3, 32), 3, 2), 32
    steps = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for number, (outer, stride) in enumerate(steps):
        x = net.conv(f"block{number}.depthwise", x, (channels, channels), 3, stride, depthwise=True)
        x = net.conv(f"block{number}.pointwise", x, (channels, outer), 1)
        channels = outer
    return net.model(net.classifier(x, channels), ["N", 3, 224, 224], ["N", 1000])


def matmul(k, n):
    """One product [M, k] x [k, n]."""
    net = Builder(k + n)
    y = net.node("MatMul", "product", "input", net.normal("w", (k, n), 1 / k))
    return net.model(y, ["M", k], ["M", n])


def write(model, path):
    """Checks and writes a model; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    for make in (resnet50, mobilenetv1):
        print(write(make(), folder / f"{make.__name__}.onnx"))


if __name__ == "__main__":
    main()
