"""What the end-to-end tests share: calls of the command as a user makes them."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NIBBLE = pathlib.Path(os.environ.get("NIBBLE", ROOT / "build/release/nibble"))
DATA = pathlib.Path(os.environ.get("NIBBLE_DATA") or ROOT / "build/data")
DEMO = ROOT / "models/demo/glyphs.onnx"


def call(*arguments, environment=None, preexec=None):
    """Runs nibble; returns (exit code, standard output, standard error)."""
    done = subprocess.run([str(NIBBLE), *map(str, arguments)], capture_output=True, text=True, timeout=600,
                          env={**os.environ, **(environment or {})}, preexec_fn=preexec)
    return done.returncode, done.stdout, done.stderr


class CliTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)

    def ok(self, *arguments, **options):
        """Runs nibble --json, which must succeed; returns its result object."""
        code, out, err = call(*arguments, "--json", **options)
        self.assertEqual(code, 0, err)
        return json.loads(out.splitlines()[-1])

    def fails(self, code, *arguments, says=(), **options):
        """Runs nibble, which must end with `code` and exactly one line that holds every text of `says`."""
        got, _, err = call(*arguments, **options)
        lines = err.strip().splitlines()
        self.assertEqual(got, code, err)
        self.assertEqual(len(lines), 1, err)
        for text in says:
            self.assertIn(str(text), lines[0])

    def no_output(self):
        """Nothing, not even a temporary file, stands in the output folder."""
        out = self.folder / "out"
        self.assertEqual(sorted(p.name for p in out.iterdir()), [])

    def output(self):
        (self.folder / "out").mkdir(exist_ok=True)
        return self.folder / "out" / "q.onnx"
