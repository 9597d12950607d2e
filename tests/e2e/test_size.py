"""Size on disk at every width, on networks that stand in $NIBBLE_DATA (else build/data): packed streams, padding included, and 12
bytes a channel, times 1.05, and 32 kB for the graph. The streams are counted here from the shapes alone (docs/formats/packed.md)."""
import re
import unittest

from harness import DATA, CliTest, call

CIFAR = f"{DATA}/cifar10/data_batch_1.bin@preprocess=imagenet,range=0:2"
IMAGES = f"{DATA}/imagenet/sample1000_224@preprocess=tf,range=0:2"
MODELS = {"ResNet-20": (DATA / "cifar10_models/resnet20_cifar10_fp32.onnx", CIFAR),
          "MobileNetV2": (DATA / "imagenet/mobilenet_v2_1.0_224_fp32.onnx", IMAGES)}
WEIGHTED = re.compile(r": (?:Conv|Gemm) .*? \{([0-9x]+) f32\}")


def round_up(n, to):
    return -(-n // to) * to


def stream_bytes(shape, bits):
    """[O][kh][kw][C] of one group, or [N][K]."""
    kernel = shape[1] * shape[2] if len(shape) == 4 else 1
    if len(shape) == 4 and shape[3] == 1 and shape[0] > 1:  # depthwise
        vectors = -(-shape[0] // 16) * shape[1] * -(-shape[2] // 3)
        return vectors * 64 if bits == 8 else -(-vectors // 16) * 128 * bits
    return round_up(shape[0], 32) * round_up(kernel * round_up(shape[-1], 4), 64) * bits // 8


@unittest.skipUnless(any(path.exists() for path, _ in MODELS.values()), f"no real models in {DATA}")
class Size(CliTest):
    def weights(self, model):
        code, out, err = call("inspect", model)
        self.assertEqual(code, 0, err)
        return [[int(d) for d in m.group(1).split("x")] for m in map(WEIGHTED.search, out.splitlines()) if m]

    def test_every_width_is_as_small_as_promised(self):
        for name, (model, calib) in MODELS.items():
            if not model.exists():
                continue
            weights = self.weights(model)
            self.assertGreaterEqual(len(weights), 20)
            last = 0
            for bits in range(1, 9):
                with self.subTest(f"{name}, {bits} bits"):
                    result = self.ok("quantize", model, "--scheme", f"W{bits}A8", "--layer", f".=W{bits}A8", "--method", "minmax",
                                     "--calib", calib, "-o", self.folder / "q.onnx")
                    limit = sum(stream_bytes(w, bits) + 12 * w[0] for w in weights) * 1.05 + 32000
                    size = (self.folder / "q.nbl").stat().st_size
                    print(f"{name} W{bits}A8: {size} bytes, at most {limit:.0f}")
                    self.assertEqual(result["bytes"]["quantized"], size)
                    self.assertLessEqual(size, limit)
                    # The command also counts the few scalars that stay float.
                    self.assertAlmostEqual(result["bytes"]["limit"], limit, delta=512)
                    self.assertGreater(size, last)
                    last = size


if __name__ == "__main__":
    unittest.main(verbosity=2)  # says why a test is skipped
