"""Golden cases of whole memory networks in scaled integers.

Written from docs/cells/memn2n.md (S1-S7) and docs/arithmetic.md (A1-A5), without any code of Quaver: exact integers and
fractions wherever those pages have integers, 64-bit floats where they form the ratio of two scales.

    python3 make.py > networks.txt
"""
import math
import random
import struct
from fractions import Fraction as F


class Borderline(Exception):
    """The last bit of an exponential would decide a code: another network is drawn."""


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def away(x):
    """A1: the nearest integer of an exact number, ties away from zero."""
    magnitude = math.floor(abs(F(x)) + F(1, 2))
    return -magnitude if x < 0 else magnitude


def limit(x, most, least=None):
    return max(-most if least is None else least, min(most, x))


def saturate(x):
    return limit(x, 2**31 - 1, -(2**31))


def toward_zero(x):
    return math.trunc(F(x))


def rescale(ratio, by_shift, to_integer):
    """The function that multiplies an integer by `ratio`: A5, or A3 (or truncation) and saturating left shifts."""
    if by_shift:
        k = -round(math.log2(ratio))
        assert 2.0**-k == ratio
        return lambda x: to_integer(F(x, 2**k)) if k >= 0 else saturate(x * 2**-k)
    q, exponent = math.frexp(ratio)
    mantissa = away(F(q) * 2**31)
    if mantissa == 2**31:
        mantissa, exponent = 2**30, exponent + 1
    assert -31 <= exponent <= 30

    def apply(x):
        high = math.floor(F(saturate(x * 2 ** max(exponent, 0)) * mantissa + 2**30, 2**31))
        return away(F(high, 2 ** max(-exponent, 0)))

    return apply


def position_weights(d, slots):
    """l, as 32-bit floats hold it."""
    return [[f32(1 + 4 * (k + 1 - (d + 1) / 2) * (j + 1 - (slots + 1) / 2) / (d * slots)) for k in range(d)]
            for j in range(slots)]


def network(rng, bits, powers, relative, query_bit, state_bit, weight_bits, truncation, point, slots, layerwise,
            position):
    vocabulary, memory, d, hops, sentence = 7, 4, 5, 3, 4
    rows, most = vocabulary + memory, 2 ** (bits - 1) - 1
    sizes = ([("A", rows), ("C", rows), ("B", vocabulary), ("W", vocabulary), ("H", d)] if layerwise
             else [("E%d" % k, rows) for k in range(hops + 1)])
    names = [name for name, _ in sizes]
    matrices = {name: [[rng.randrange(-2048, 2048) / 1024 for _ in range(d)] for _ in range(count)]
                for name, count in sizes}
    facts, question = [[1, 2, 3], [4, 4, 5], [6, 1, 0, 2], [3]], [5, 5, 1]

    to_integer = toward_zero if truncation else away
    # Bits behind the point of l and p; p's largest code. A shared point (`point` bits before it) is theirs too.
    fraction = bits - 1 - point if point else None
    l_fraction, p_fraction = (fraction, fraction) if point else (bits - 2, bits)
    p_most = most if point else 2 * most + 1

    def draw(largest, codes=most):  # a scale for which some numbers up to `largest` are beyond the codes
        if point:
            return 2.0**-fraction
        scale = largest * rng.uniform(0.4, 1.1) / codes
        return 2.0 ** round(math.log2(scale)) if powers else f32(scale)

    weights = {name: draw(1.0, 1) if weight_bits else draw(2.0) for name in names}
    seen = {name: draw(6.0) if name not in ("B", "W", "H") else 1.0 for name in names}
    s_scale = [16 / 2**bits if relative else draw(40.0) for _ in range(hops)]
    u_scale = [draw(8.0) for _ in range(hops + 1)]
    query_scale = [draw(1.0, 1) if query_bit else 1.0 for _ in range(hops)]

    def part(kind, hop):
        return kind if layerwise else {"A": "E%d" % hop, "C": "E%d" % (hop + 1), "B": "E0", "W": "E%d" % hops}[kind]

    codes = {name: [[(1 if x >= 0 else -1) if weight_bits else limit(to_integer(x / weights[name]), most) for x in row]
                    for row in matrices[name]] for name in names}
    l = [[limit(to_integer(F(x) * 2**l_fraction), most) for x in row] for row in position_weights(d, sentence + 1)]

    def embed(name, words, age, scale):
        entries = [(word, l[min(place, sentence - 1)]) for place, word in enumerate(words) if word]
        if age is not None:
            entries.append((vocabulary + age, l[sentence]))
        step = weights[name] * (2.0**-l_fraction if position else 1)
        convert = rescale(step / scale, powers, to_integer)
        return [limit(convert(sum(codes[name][row][k] * (x[k] if position else 1) for row, x in entries)), most)
                for k in range(d)]

    lines = []

    def emit(*values):
        lines.append(" ".join(repr(value) if isinstance(value, float) else str(value) for value in values))

    emit("network", bits, *[int(x) for x in (powers, relative, query_bit, state_bit, weight_bits, truncation, bool(point),
                                             point, layerwise, position, slots)])
    emit("parameters", *[round(x * 1024) for name in names for row in matrices[name] for x in row])
    emit("weights", *weights.values())
    emit("embedded", *seen.values())
    emit("s", *[float(x) for x in s_scale])
    emit("u", *u_scale)
    emit("query", *query_scale)
    u = embed(part("B", 0), question, None, u_scale[0])
    for hop in range(hops):
        A, C = part("A", hop), part("C", hop)
        ages = [len(facts) - 1 - i for i in range(len(facts))]
        m = [embed(A, fact, age, seen[A]) for fact, age in zip(facts, ages)]
        c = [embed(C, fact, age, seen[C]) for fact, age in zip(facts, ages)]
        query = [(1 if x >= 0 else -1) for x in u] if query_bit else u
        query_step = query_scale[hop] if query_bit else u_scale[hop]
        t = [sum(x * y for x, y in zip(row, query)) for row in m]
        convert = rescale(seen[A] * query_step / s_scale[hop], powers, to_integer)
        empty = [0] * max(0, slots - len(facts))
        s = [limit(convert(x - max(t + empty)), 0, -(2 * most + 1)) if relative else limit(convert(x), most)
             for x in t + empty]
        exponentials = [math.exp((x - max(s)) * s_scale[hop]) for x in s]
        p = []
        for x in exponentials[:len(facts)]:  # Q0.15 within a unit, 1 is 32767
            unit = min(32767, round(x / sum(exponentials) * 2**15))
            near = {limit(to_integer(F(limit(unit + off, 32767, 0), 2 ** (15 - p_fraction))), p_most)
                    for off in (-1, 0, 1)}
            if len(near) > 1:
                raise Borderline
            p.append(near.pop())
        o = [sum(p[i] * c[i][j] for i in range(len(facts))) for j in range(d)]
        if layerwise:
            H = codes["H"]
            own, own_step = [sum(w * x for w, x in zip(row, query)) for row in H], weights["H"] * query_step
        else:
            own, own_step = (query, query_step) if state_bit else (u, u_scale[hop])
        following = u_scale[hop + 1] * 2.0**-8
        read, keep = rescale(seen[C] * 2.0**-p_fraction / following, powers, to_integer), rescale(
            own_step / following, powers, to_integer)
        u = [limit(to_integer(F(saturate(read(x) + keep(y)), 2**8)), most) for x, y in zip(o, own)]
        emit("m", *[x for row in m for x in row])
        emit("c", *[x for row in c for x in row])
        emit("t", *t)
        emit("s", *s[:len(facts)])
        emit("p", *p)
        emit("u", *u)
    emit("scores", *[sum(w * x for w, x in zip(row, u)) for row in codes[part("W", 0)][:vocabulary]])
    return lines


def main():
    rng = random.Random(7)
    # bits, powers of two, relative, one-bit query, state, weights, truncation, bits before a shared point, slots
    for case in [(8, 0, 1, 0, 0, 0, 0, 0), (8, 0, 0, 0, 0, 0, 0, 0), (8, 1, 1, 0, 0, 0, 0, 0), (8, 1, 0, 0, 0, 0, 0, 0),
                 (4, 0, 1, 0, 0, 0, 0, 0), (2, 1, 1, 0, 0, 0, 0, 0), (8, 1, 1, 1, 0, 0, 0, 0), (8, 1, 1, 1, 1, 0, 0, 0),
                 (8, 0, 1, 1, 1, 1, 0, 0), (8, 1, 0, 0, 0, 1, 0, 0), (8, 1, 1, 0, 0, 0, 1, 0), (8, 1, 0, 0, 0, 0, 0, 3),
                 (8, 1, 0, 0, 0, 0, 1, 4), (8, 0, 1, 0, 0, 0, 0, 0, 10), (8, 0, 0, 0, 0, 0, 0, 0, 6),
                 (8, 1, 1, 0, 0, 0, 0, 0, 50), (8, 1, 1, 1, 1, 0, 0, 0, 5), (4, 0, 1, 1, 0, 1, 0, 0, 9),
                 (8, 1, 0, 0, 0, 0, 1, 3, 7), (8, 0, 1, 0, 0, 0, 0, 0, 4)]:
        for layerwise in (True, False):
            for position in (False, True):
                while True:
                    try:
                        lines = network(rng, case[0], *[bool(x) for x in case[1:7]], *(case[7:] + (0,))[:2], layerwise,
                                        position)
                        break
                    except Borderline:
                        pass
                print("\n".join(lines))


main()
