"""nibble: schemes quantised by the command, served by nibble-rounds."""
import common
import rounds

_SERVER = common.BUILD / "nibble-rounds"


def contender(name, model, threads, batch):
    """`model` is a .nbl file."""
    return rounds.Contender(name, [_SERVER, model, threads, batch])


def convert(source, target):
    """The float network as .nbl."""
    if common.stale(target, common.NIBBLE, source):
        common.nibble("convert", source, target)
    return target


def quantize(source, target, scheme, calib, *options):
    """`source` at `scheme`, calibrated on the samples in the file `calib`: the .nbl file beside the .onnx `target`. None
    for a scheme that the command refuses; it says so."""
    nbl = target.with_suffix(".nbl")
    if common.stale(nbl, common.NIBBLE, source, calib):
        done = common.call("quantize", source, "--scheme", scheme, "--calib", calib, "-o", target, *options)
        if done.returncode == common.USAGE:
            print(f"{scheme} left out: {done.stderr.strip().splitlines()[-1]}", flush=True)
            return None
        common.check(done)
    return nbl
