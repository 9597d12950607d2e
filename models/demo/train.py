#!/usr/bin/env python3
"""Trains the demo network, glyphs.onnx, on pictures that nibble generates itself.

    nibble convert synthetic:1@samples=50000 train.npz
    nibble convert synthetic:2 test.npz
    python3 models/demo/train.py train.npz test.npz glyphs.onnx

Needs torch, numpy and onnx; ten to twenty minutes on two cores. All seeds are fixed, but another
version of torch or number of threads may round otherwise and give another file; the one in the
repository was made by torch 2.15.0 on x86-64 with two threads. It has 96.94 % on the 10,000 test
pictures, which training never sees (they only print the progress).

The network (32x32 RGB in, 16 classes out, 91 k parameters) has what small vision networks are made
of: convolutions with batch normalisation, two residual additions, a depthwise convolution, a global
average pool and a fully connected layer. Input `input` float32 [N, 3, 32, 32], pixels as
`preprocess=unit` makes them (x / 255); output `logits` [N, 16]. The ONNX file is written node by
node, so that the batch normalisations stay in it: folding them is the quantiser's work.
"""

import sys
import time

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

EPOCHS, BATCH, RATE = 8, 128, 4e-3


def conv_bn(cin, cout, stride=1, groups=1, kernel=3):
    conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(cout))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a = conv_bn(channels, channels)
        self.b = conv_bn(channels, channels)

    def forward(self, x):
        return torch.relu(x + self.b(torch.relu(self.a(x))))


class Glyphs(nn.Module):
    def __init__(self, classes=16):
        super().__init__()
        self.stem = conv_bn(3, 16)
        self.down1 = conv_bn(16, 24, stride=2)
        self.block1 = Residual(24)
        self.depthwise = conv_bn(24, 24, stride=2, groups=24)
        self.pointwise = conv_bn(24, 64, kernel=1)
        self.block2 = Residual(64)
        self.classify = nn.Linear(64, classes)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = self.block1(torch.relu(self.down1(x)))
        x = torch.relu(self.depthwise(x))
        x = self.block2(torch.relu(self.pointwise(x)))
        return self.classify(x.mean((2, 3)))


class OnnxWriter:
    """Nodes and constants of a graph, in order."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, tensor):
        self.constants.append(numpy_helper.from_array(tensor.detach().numpy(), name))
        return name

    def node(self, op, name, inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv_bn(self, name, module, x, relu=True):
        conv, bn = module
        pad = conv.padding[0]
        x = self.node("Conv", name, [x, self.constant(name + ".weight", conv.weight)],
                      kernel_shape=list(conv.kernel_size), strides=list(conv.stride),
                      pads=[pad] * 4, group=conv.groups)
        statistics = [("scale", bn.weight), ("shift", bn.bias), ("mean", bn.running_mean),
                      ("variance", bn.running_var)]
        x = self.node("BatchNormalization", name + ".bn",
                      [x] + [self.constant(f"{name}.bn.{key}", t) for key, t in statistics],
                      epsilon=bn.eps)
        return self.node("Relu", name + ".relu", [x]) if relu else x

    def residual(self, name, module, x):
        y = self.conv_bn(name + ".a", module.a, x)
        y = self.conv_bn(name + ".b", module.b, y, relu=False)
        return self.node("Relu", name + ".relu", [self.node("Add", name + ".add", [x, y])])


def write_onnx(net, path):
    w = OnnxWriter()
    x = w.conv_bn("stem", net.stem, "input")
    x = w.conv_bn("down1", net.down1, x)
    x = w.residual("block1", net.block1, x)
    x = w.conv_bn("depthwise", net.depthwise, x)
    x = w.conv_bn("pointwise", net.pointwise, x)
    x = w.residual("block2", net.block2, x)
    x = w.node("GlobalAveragePool", "pool", [x])
    x = w.node("Flatten", "flatten", [x], axis=1)
    w.node("Gemm", "logits", [x, w.constant("classify.weight", net.classify.weight),
                              w.constant("classify.bias", net.classify.bias)], transB=1)
    graph = helper.make_graph(
        w.nodes, "glyphs",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 32, 32])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 16])], w.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7,
                              producer_name="nibble models/demo/train.py")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def load(path):
    arrays = np.load(path)
    images = torch.from_numpy(arrays["input"])
    return images, torch.from_numpy(arrays["labels"])


def batches(images, labels, order):
    for first in range(0, len(order), BATCH):
        chosen = order[first:first + BATCH]
        yield images[chosen].float() / 255, labels[chosen]


def accuracy(net, images, labels):
    net.eval()
    with torch.no_grad():
        right = sum((net(x).argmax(1) == y).sum().item()
                    for x, y in batches(images, labels, torch.arange(len(labels))))
    return right / len(labels)


def main(train_path, test_path, onnx_path):
    torch.manual_seed(7)
    torch.use_deterministic_algorithms(True)
    images, labels = load(train_path)
    test = load(test_path)
    net = Glyphs().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.02)
    steps = EPOCHS * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        net.train()
        start, total = time.time(), 0.0
        for x, y in batches(images, labels, torch.randperm(len(labels))):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(net(x.contiguous(memory_format=torch.channels_last)), y)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(y)
        print(f"epoch {epoch + 1}/{EPOCHS}: loss {total / len(labels):.4f}, "
              f"test accuracy {accuracy(net, *test):.4f}, {time.time() - start:.0f} s", flush=True)
        write_onnx(net, onnx_path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
