"""A race: contenders in processes of their own, kept alive and asked one after another for rounds of timed runs.

A contender is a command that prints `ready` once its model is loaded and warm; for every line `SECONDS` on its standard
input it then runs for about that long, once at least, after a run that is not counted, and prints one JSON object
{"median_us", "min_us", "runs"}. bench/worker.py is that command for the public runtimes, nibble-rounds (bench/server/) for nibble."""
import dataclasses
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time


@dataclasses.dataclass
class Contender:
    name: str
    command: list
    environment: dict = dataclasses.field(default_factory=dict)
    medians: list = dataclasses.field(default_factory=list)   # us, one a round
    minima: list = dataclasses.field(default_factory=list)    # likewise
    failure: str | None = None

    @property
    def median_us(self):
        """Median over the rounds of the rounds' medians; None for a contender that failed."""
        return None if self.failure or not self.medians else statistics.median(self.medians)

    @property
    def min_us(self):
        """The least time of any run in any round: what is left to compare by on a machine that is busy."""
        return None if self.failure or not self.minima else min(self.minima)

    def start(self):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(list(map(str, self.command)), text=True, stdin=subprocess.PIPE, stderr=self.errors,
                                        stdout=subprocess.PIPE, env={**os.environ, **self.environment})
        self._expect(lambda line: line == "ready")

    def ask(self, seconds):
        """One round. Does nothing for a contender that failed before."""
        if self.failure:
            return
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass   # the answer, or rather its absence, says what happened
        line = self._expect(lambda line: line.startswith("{"))
        if line:
            answer = json.loads(line)
            self.medians.append(answer["median_us"])
            self.minima.append(answer["min_us"])

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def _expect(self, wanted):
        for line in self.process.stdout:   # runtimes print remarks of their own: skipped
            if wanted(line.strip()):
                return line
        code = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        died = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self.failure = f"{died}: {said[-1].strip()}" if said else died
        return None


def race(contenders, rounds, seconds, pause=0.03):
    """Fills in the contenders' times. All processes live through all rounds; each round starts with another contender,
    so that a machine that speeds up or slows down favours none; `pause` lets the spinning threads of the last one end."""
    for contender in contenders:
        contender.start()
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            time.sleep(pause)
            contender.ask(seconds)
    for contender in contenders:
        contender.stop()
