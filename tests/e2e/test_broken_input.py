"""Broken input: one clear line naming the file, the exit code of the interface, no crash, no partial output file."""
import random
import resource
import signal
import struct
import unittest

from harness import DEMO, CliTest, call

CALIB = "synthetic:3@preprocess=unit,samples=16"


def npy(shape, values, dtype="<f4", code="f"):
    """A .npy file's bytes without NumPy."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(
        f"<{len(values)}{code}", *values)


class BrokenModel(CliTest):
    def quantize(self, model, code, *says):
        self.fails(code, "quantize", model, "--calib", CALIB, "-o", self.output(), says=says)
        self.no_output()

    def test_missing_and_empty_file(self):
        self.quantize(self.folder / "none.onnx", 3, "none.onnx")
        (self.folder / "empty.onnx").write_bytes(b"")
        self.quantize(self.folder / "empty.onnx", 3, "empty.onnx")

    def test_truncated_onnx(self):
        data = DEMO.read_bytes()
        for cut in (1, 10, 100, len(data) // 2, len(data) - 1):
            broken = self.folder / f"cut{cut}.onnx"
            broken.write_bytes(data[:cut])
            self.quantize(broken, 3, broken.name)

    def test_bit_flips_never_crash(self):
        data = DEMO.read_bytes()
        draw = random.Random(1)
        for i in range(40):
            flipped = bytearray(data)
            # Mostly in the structure, which stands at the front and the back; weights may flip unnoticed in ONNX.
            at = draw.randrange(min(4000, len(data))) if i % 2 else draw.randrange(len(data))
            flipped[at] ^= 1 << draw.randrange(8)
            broken = self.folder / "flip.onnx"
            broken.write_bytes(flipped)
            code, _, err = call("inspect", broken)
            self.assertIn(code, (0, 3), err)
            if code:
                self.assertEqual(len(err.strip().splitlines()), 1, err)

    def test_nbl_truncated_and_flipped(self):
        nbl = self.folder / "m.nbl"
        self.ok("convert", DEMO, nbl)
        data = nbl.read_bytes()
        draw = random.Random(2)
        for cut in (0, 3, 16, 64, len(data) // 2, len(data) - 1):
            broken = self.folder / "cut.nbl"
            broken.write_bytes(data[:cut])
            if cut >= 3:
                self.fails(3, "inspect", broken, says=["cut.nbl"])
        for _ in range(40):
            flipped = bytearray(data)
            at = draw.randrange(len(data))
            flipped[at] ^= 1 << draw.randrange(8)
            broken = self.folder / "flip.nbl"
            broken.write_bytes(flipped)
            code, _, err = call("inspect", broken)
            self.assertEqual(code, 3, f"bit of byte {at} of {len(data)} flipped unnoticed; {err}")
            self.assertIn("flip.nbl", err)

    def test_unknown_ops_are_listed_all_at_once(self):
        strange = self.folder / "strange.onnx"
        strange.write_bytes(DEMO.read_bytes().replace(b"Relu", b"Rolu"))
        self.quantize(strange, 3, "strange.onnx", "Rolu (")
        for verb in ("inspect", "check"):
            unsupported = self.ok(verb, strange)["unsupported"]
            self.assertEqual([entry["op"] for entry in unsupported], ["Rolu"])
            self.assertGreater(len(unsupported[0]["nodes"]), 1)

    def test_unknown_pattern_and_scheme(self):
        for option in (["--exclude", "no_such_node"], ["--layer", "no_such_node=W8A8"]):
            self.fails(2, "quantize", DEMO, "--calib", CALIB, "-o", self.output(), *option, says=["no_such_node"])
        self.fails(2, "quantize", DEMO, "--calib", CALIB, "-o", self.output(), "--scheme", "W9A8", says=["W9A8"])
        self.fails(2, "quantize", DEMO, "--calib", CALIB, "-o", self.output(), "--method", "nothing", says=["nothing"])
        self.no_output()

    def test_usage(self):
        self.fails(2, "frobnicate")
        self.fails(2, "quantize", DEMO, "-o", self.output(), says=["--calib"])
        self.fails(2, "eval", DEMO, "--data", CALIB, environment={"NIBBLE_ISA": "avx9"}, says=["avx9"])


class BrokenData(CliTest):
    def quantize(self, spec, code, *says):
        self.fails(code, "quantize", DEMO, "--calib", spec, "-o", self.output(), says=says)
        self.no_output()

    def test_wrong_shape_names_both(self):
        wrong = self.folder / "wrong.npy"
        wrong.write_bytes(npy((4, 7, 5), [0.0] * 140))
        self.quantize(wrong, 6, "wrong.npy", "7x5")

    def test_empty_and_missing(self):
        empty = self.folder / "empty.npy"
        empty.write_bytes(npy((0, 1, 32, 32), []))
        self.quantize(empty, 6, "empty.npy")
        self.quantize(self.folder / "nothing.npy", 6, "nothing.npy")

    def test_nan(self):
        shape = self.ok("inspect", DEMO)["inputs"][0]["shape"].split("x")
        dims = [2, *map(int, shape[1:])]
        count = 1
        for d in dims:
            count *= d
        values = [0.5] * count
        values[count // 2] = float("nan")
        nan = self.folder / "nan.npy"
        nan.write_bytes(npy(dims, values))
        self.quantize(nan, 6, "nan.npy", "NaN")

    def test_truncated_array(self):
        cut = self.folder / "cut.npy"
        cut.write_bytes(npy((4, 1, 32, 32), [0.0] * 4096)[:-100])
        self.quantize(cut, 6, "cut.npy")


class BrokenOutput(CliTest):
    def test_folder_missing(self):
        self.fails(7, "quantize", DEMO, "--calib", CALIB, "-o", self.folder / "none" / "q.onnx", says=["q.onnx"])

    def test_full_disk(self):
        """A file-size limit stands in for a full disk: the write fails half-way."""
        self.output()

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))

        self.fails(7, "quantize", DEMO, "--calib", CALIB, "-o", self.output(), preexec=limit, says=["q.onnx"])
        self.no_output()


if __name__ == "__main__":
    unittest.main()
