"""The main job through the command line, on the demo network: files, keys, determinism, recipes, ONNX Runtime."""
import os
import unittest

from harness import DEMO, CliTest, call

CALIB = "synthetic:3@preprocess=unit,samples=64"
TEST = "synthetic:2@preprocess=unit,samples=500"


class Quantize(CliTest):
    def quantize(self, scheme="W8A8", *options, name="q"):
        return self.ok("quantize", DEMO, "--scheme", scheme, "--calib", CALIB, "-o", self.folder / f"{name}.onnx", *options)

    def test_result_has_the_stable_keys(self):
        result = self.quantize("W8A8", "--eval", TEST)
        self.assertEqual(result["metric"]["name"], "top1")
        self.assertGreater(result["metric"]["quantized"], result["metric"]["float"] - 0.02)
        self.assertTrue(result["verified"]["runtime"])
        self.assertEqual({p.rsplit(".", 1)[-1] for p in result["outputs"]}, {"onnx", "nbl", "yaml"})
        self.assertLess(result["bytes"]["quantized"], result["bytes"]["float"])
        self.assertLessEqual(result["bytes"]["quantized"], result["bytes"]["limit"])
        self.assertGreater(result["peak_bytes"], 0)

    @unittest.skipUnless(os.path.exists(os.environ.get("NIBBLE_PYTHON", "")), "NIBBLE_PYTHON names no Python with onnxruntime")
    def test_onnxruntime_agrees(self):
        for scheme in ("W8A8", "W4A8", "W4A4", "W3A5", "W8A16", "W4A16G32", "W8A8_ASYM", "W1A8", "WTA8", "W2A1", "W1A1", "WTA2",
                       "W1A16", "WTA16"):
            with self.subTest(scheme):
                self.assertIs(self.quantize(scheme)["verified"]["onnxruntime"], True)

    def test_recipe_reproduces_the_bytes(self):
        first = self.quantize("W4A8", "--requantise", "fixed", name="a")
        self.ok("quantize", "--recipe", first["outputs"][2], "-o", self.folder / "b.onnx")
        for extension in ("onnx", "nbl", "recipe.yaml"):
            self.assertEqual((self.folder / f"a.{extension}").read_bytes(), (self.folder / f"b.{extension}").read_bytes())

    def test_threads_and_isa_give_the_same_bytes(self):
        self.quantize("W4A4")
        predictions = []
        for isa in ("portable", "avx2", "avx512vnni"):
            for threads in (1, 2):
                path = self.folder / f"{isa}{threads}.npy"
                if self.predict(path, isa, threads):
                    predictions.append(path.read_bytes())
        self.assertGreaterEqual(len(predictions), 2)
        self.assertEqual(len(set(predictions)), 1)

    def predict(self, path, isa, threads):
        """False where this machine lacks the ISA."""
        code, _, err = call("eval", self.folder / "q.nbl", "--data", TEST, "--predictions", path, "--threads", threads,
                            environment={"NIBBLE_ISA": isa})
        if code == 2 and "cannot run on this machine" in err:
            return False
        self.assertEqual(code, 0, err)
        return True

    def test_exported_qdq_is_read_back_to_the_same_integers(self):
        for scheme in ("W4A8", "W1A1", "WTA2"):
            with self.subTest(scheme):
                self.quantize(scheme)
                for model in ("q.onnx", "q.nbl"):
                    self.ok("eval", self.folder / model, "--data", TEST, "--predictions", self.folder / f"{model}.npy")
                self.assertEqual((self.folder / "q.onnx.npy").read_bytes(), (self.folder / "q.nbl.npy").read_bytes())

    def test_one_bit_collapses_with_a_warning_alone(self):
        code, out, err = call("quantize", DEMO, "--scheme", "W1A1", "--calib", CALIB, "--eval", TEST, "-o", self.output())
        self.assertEqual(code, 0, err)
        self.assertIn("warning", out + err)
        self.assertIn("1-bit codes stored as uint4 behind a Clip", out + err)
        self.fails(2, "quantize", DEMO, "--scheme", "WTA8_ASYM", "--calib", CALIB, "-o", self.output(), says=["ternary"])

    def test_budget(self):
        out = self.output()
        self.fails(4, "quantize", DEMO, "--scheme", "W2A2", "--calib", CALIB, "--eval", TEST, "--max-drop", "0.1%", "-o", out)
        self.no_output()


if __name__ == "__main__":
    unittest.main()
