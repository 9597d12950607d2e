"""The main job on trained networks and their data sets, which stand in $NIBBLE_DATA (else build/data)."""
import unittest

from harness import DATA, CliTest


@unittest.skipUnless((DATA / "mlperf_tiny").exists(), f"no real models in {DATA}")
class RealModel(CliTest):
    def test_resnet8_keeps_its_accuracy(self):
        model = DATA / "mlperf_tiny/ic_resnet8_fp32.onnx"
        result = self.ok("quantize", model, "--calib", f"{DATA}/cifar10/data_batch_1.bin@range=0:500", "--eval",
                         f"{DATA}/cifar10/test_batch.bin", "-o", self.folder / "q.onnx")
        self.assertAlmostEqual(result["metric"]["float"], 0.8721, delta=0.001)
        self.assertGreaterEqual(result["metric"]["quantized"], result["metric"]["float"] - 0.003)


if __name__ == "__main__":
    unittest.main(verbosity=2)  # says why a test is skipped
