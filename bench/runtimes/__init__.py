"""The runtimes that are timed side by side, one file each: how a model is prepared for it, how it is opened and run."""
import logging
import pathlib
import sys

import numpy

import common
import rounds

logging.disable(logging.WARNING)   # the quantisers' remarks and progress

_WORKER = pathlib.Path(__file__).resolve().parent.parent / "worker.py"


def worker(name, runtime, model, threads, batch, **settings):
    """A contender served by bench/worker.py."""
    command = [sys.executable, _WORKER, runtime, model, threads, batch, *(f"{k}={v}" for k, v in settings.items())]
    return rounds.Contender(name, command, common.peer_isa())


def inputs(shape, batch):
    """Uniform floats in [0, 1); a free dimension (a name, None or -1) of `shape` becomes `batch`."""
    shape = [d if isinstance(d, int) and d > 0 else batch for d in shape]
    return numpy.random.default_rng(0).random(shape, numpy.float32)
