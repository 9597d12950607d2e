"""The tables that bench/peers.py prints, from its rows {"model", "batch", "threads", "us", "failures"}."""
import contenders
import table


def _name(row):
    return row["model"] + (f" x{row['batch']}" if row["batch"] > 1 else "")


def _peer(row, peer):
    """Time of a peer: the best of its variants."""
    return table.least(us for name, us in row["us"].items() if name == peer or name.startswith(peer + " ("))


def fastest_peer(row):
    """The least time of any peer at any precision, us; None where none ran."""
    return table.least(_peer(row, p) for p in contenders.PEERS)


def progress(row):
    """One line for a row that has just been measured."""
    times = ", ".join(f"{name} {us:.0f}" for name, us in row["us"].items() if us is not None)
    return f"{_name(row)}, {row['threads']} threads, us: {times}"


def beside_peers(rows, statistic, threads):
    """Peers, our float and our W8A8, and how many times faster than the fastest peer W8A8 is."""
    lines, ratios = [], []
    for row in rows:
        ours = row["us"].get("W8A8")
        ratios.append(table.ratio(fastest_peer(row), ours))
        float_ratio = table.ratio(table.least([_peer(row, "ORT fp32"), _peer(row, "OV fp32")]), row["us"].get("float"))
        lines.append([_name(row), *(table.number(_peer(row, p)) for p in contenders.PEERS),
                      table.number(row["us"].get("float")), table.number(ours), table.number(float_ratio, 2),
                      table.number(ratios[-1], 2)])
    lines.append(["geometric mean", *[""] * 8, table.number(table.geometric_mean(ratios), 2)])
    table.show([f"{statistic} us", *contenders.PEERS, "float", "W8A8", "fp32 peer/float", "best peer/W8A8"], lines,
               f"Beside the public runtimes, {threads} thread{'s' * (threads > 1)}")


def widths(rows, schemes, statistic, threads):
    """Every scheme's time over that of the next wider one that was measured: fewer bits may not be slower (1.03)."""
    lines = []
    for row in rows:
        cells, wider = [], None
        for scheme in schemes:
            us = row["us"].get(scheme)
            over = table.ratio(us, wider)
            cells.append(None if us is None else f"{us:.0f}" + (f" ({over:.2f})" if over else ""))
            wider = us or wider
        lines.append([_name(row), *cells, table.number(table.ratio(row["us"].get("W8A8"), row["us"].get("W1A1")), 2)])
    table.show([f"{statistic} us (over the next wider)", *schemes, "W8A8/W1A1"], lines,
               f"Width against the next wider one, {threads} thread{'s' * (threads > 1)}")


def failures(rows):
    """What did not run, and what it said."""
    for row in rows:
        for name, message in row["failures"].items():
            print(f"{_name(row)}, {row['threads']} threads: {name} did not run ({message})")
