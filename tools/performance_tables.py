#!/usr/bin/env python3
"""The tables of docs/performance.md from what "quaver bench --peers --save" wrote, of a grid of shapes or of batches.

Usage: performance_tables.py docs/results/bench.json

A row a number of units and of sequences, columns for the cells that were timed. Ours are handed real frames. LiteRT's
model and oneDNN's int8 form are handed codes, and so are we beside them.
"""
import json
import sys

CELLS = [("LSTM", "lstm", None), ("GRU (after)", "gru", "after"), ("GRU (before)", "gru", "before")]


def on_codes(cell, reset):
    """Peers that have the cell on codes: title, name."""
    return ([("LiteRT", "litert")] if cell == "lstm" else []) + ([("oneDNN", "onednn")] if reset != "after" else [])


def us(value):
    return f"{value:.3g}"


def ratio_text(ratio):
    return f"{ratio['ratio']:.2f} ({ratio['first_quartile']:.2f}..{ratio['third_quartile']:.2f})"


def main():
    report = json.load(open(sys.argv[1]))
    ours = [row for row in report["results"] if row["peer"] is None]

    def row_of(shape, frames):
        return next(row for row in ours if shape_of(row) == shape and row["frames"] == frames)

    def shape_of(row):
        return row["cell"], row["reset"], row["hidden"], row["batch"], row["steps"]

    def ratios_of(shape, frames):
        return [ratio for ratio in report["ratios"] if shape_of(ratio) == shape and ratio["frames"] == frames]

    cells = [cell for cell in CELLS if any((row["cell"], row["reset"]) == cell[1:] for row in ours)]
    batches = any(row["batch"] > 1 for row in ours)
    for steps in sorted({row["steps"] for row in ours}):
        print(f"\n{'One step' if steps == 1 else f'{steps} steps'} a call:\n")
        header = ["H, sequences" if batches else "H", "weights, level"]
        for name, cell, reset in cells:
            header += [f"{name} us", "best peer / ours"] + [f"{title}, codes" for title, _ in on_codes(cell, reset)]
        print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
        for hidden, batch in sorted({(row["hidden"], row["batch"]) for row in ours}):
            first = row_of((*cells[0][1:], hidden, batch, steps), "real")
            line = [f"{hidden}, {batch}" if batches else str(hidden),
                    f"{first['bytes_per_step'] // 1024} KiB, {first['level']}"]
            for _, cell, reset in cells:
                shape = (cell, reset, hidden, batch, steps)
                row = row_of(shape, "real")
                share = f", {100 * row['read_share']:.0f} %" if row["read_share"] is not None else ""
                best = min(ratios_of(shape, "real"), key=lambda ratio: ratio["ratio"])
                line += [us(row["us_per_step"]) + share, f"{ratio_text(best)} {best['peer']}"]
                for _, peer in on_codes(cell, reset):
                    line.append(next((ratio_text(ratio) for ratio in ratios_of(shape, "codes")
                                      if ratio["peer"] == peer and "int8" in ratio["peer_scheme"]), "-"))
            print("| " + " | ".join(line) + " |")
    extra = [row_of(shape_of(row), "real")["us_per_step"] / row["us_per_step"] - 1 for row in ours
             if row["frames"] == "codes" and row["steps"] == 1]
    if extra:
        print(f"\nReal frames over codes, one step a call: {100 * min(extra):+.0f} to {100 * max(extra):+.0f} %")


if __name__ == "__main__":
    main()
