"""Text tables and the two averages that the benchmarks print."""
import math


def show(header, rows, title=None):
    """Prints rows of cells in columns, the first left-aligned; a None cell is `-`."""
    lines = [["-" if cell is None else str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    if title:
        print(f"\n{title}")
    for line in lines:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))))


def number(value, digits=0):
    """`value` with so many digits behind the point; None stays None."""
    return None if value is None else f"{value:.{digits}f}"


def least(values):
    """The smallest value that is not None; None without one."""
    return min((v for v in values if v is not None), default=None)


def ratio(above, below):
    """above / below; None where either is missing."""
    return None if above is None or below is None else above / below


def geometric_mean(values):
    """Of the positive values that are not None; None without one."""
    logs = [math.log(v) for v in values if v is not None]
    return math.exp(sum(logs) / len(logs)) if logs else None
