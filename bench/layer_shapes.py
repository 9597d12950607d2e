"""The weighted layers of an ONNX network in the form that nibble-onednn reads (bench/onednn/network.h)."""
import dataclasses

import onnx
from onnx import numpy_helper, shape_inference


@dataclasses.dataclass
class LayerShape:
    name: str        # of the node
    kind: str        # "conv" or "linear"
    relu: bool
    numbers: list    # batch, channels, height, width, outputs, kernel 2, stride 2, padding top left bottom right, groups

    def line(self, index):
        """The input line; layers are named by their index, as names may hold spaces."""
        return f"{self.kind} {index} {int(self.relu)} {' '.join(map(str, self.numbers))}\n"

    def text(self):
        n, c, h, w, o, kh, kw, sh, _, *_, groups = self.numbers
        if self.kind == "linear":
            return f"{n}x{c} to {o}"
        depthwise = " depthwise" if groups == c > 1 else f" groups {groups}" if groups > 1 else ""
        return f"{h}x{w}x{c} to {o}, {kh}x{kw}{f' /{sh}' if sh > 1 else ''}{depthwise}"


class _Graph:
    """A network with all shapes known, its first dimension being `batch`."""

    def __init__(self, path, batch):
        model = onnx.load(path)
        for value in [*model.graph.input, *model.graph.output]:
            if value.type.tensor_type.shape.dim and not value.type.tensor_type.shape.dim[0].dim_value:
                value.type.tensor_type.shape.dim[0].dim_value = batch
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
        values = [*graph.input, *graph.output, *graph.value_info]
        self.shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
        self.constants = {t.name: t for t in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = node.attribute[0].t
        self.nodes = list(graph.node)
        self.readers = {}
        for node in self.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def ends_in_relu(self, node):
        """Whether what follows the node, behind its batch normalisation, is a ReLU or a clip."""
        readers = self.readers.get(node.output[0], [])
        if len(readers) != 1:
            return False
        reader = readers[0]
        return self.ends_in_relu(reader) if reader.op_type == "BatchNormalization" else reader.op_type in ("Relu", "Clip")


def _padding(attributes, size, kernel, stride):
    """[top, left, bottom, right] of explicit pads or of auto_pad."""
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        return attributes.get("pads", [0] * 4) if auto == "NOTSET" else [0] * 4
    total = [max(0, (-(-s // t) - 1) * t + k - s) for s, k, t in zip(size, kernel, stride)]
    low, high = [t // 2 for t in total], [t - t // 2 for t in total]
    return low + high if auto == "SAME_UPPER" else high + low


def _conv(graph, node):
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    weights = list(graph.constants[node.input[1]].dims)
    shape = graph.shapes[node.input[0]]
    if len(weights) != 4 or attributes.get("dilations", [1, 1]) != [1, 1]:
        return None
    stride = attributes.get("strides", [1, 1])
    return [*shape, weights[0], *weights[2:], *stride, *_padding(attributes, shape[2:], weights[2:], stride),
            attributes.get("group", 1)]


def _linear(graph, node):
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    weights = numpy_helper.to_array(graph.constants[node.input[1]]).shape
    inner, outer = weights[::-1] if attributes.get("transB") else weights
    shape = graph.shapes[node.input[0]]
    if len(weights) != 2 or len(shape) != 2:
        return None
    return [shape[0], inner, 1, 1, outer, 1, 1, 1, 1, 0, 0, 0, 0, 1]


def of(path, batch):
    """The 2-D convolutions without dilation, and the Gemms and MatMuls, by constant weights, in order."""
    graph = _Graph(path, batch)
    layers = []
    for index, node in enumerate(graph.nodes):
        reads = {"Conv": _conv, "Gemm": _linear, "MatMul": _linear}.get(node.op_type)
        numbers = reads(graph, node) if reads and node.input[1] in graph.constants else None
        if numbers:
            kind = "conv" if node.op_type == "Conv" else "linear"
            layers.append(LayerShape(node.name or f"{node.op_type}_{index}", kind, graph.ends_in_relu(node), numbers))
    return layers
