"""Golden cases of Q-MANN's fixed-point arithmetic and of whole memory networks in it.

Written from the description in docs/cells/memn2n.md, bit by bit and with exact fractions, without any code of Quaver:
magnitudes are lists of bits where the paper compares bits, numbers are fractions everywhere else.

    python3 make.py arithmetic > arithmetic.txt
    python3 make.py networks > networks.txt
"""
import math
import random
import sys
from fractions import Fraction as F

ALPHA = -3


class Borderline(Exception):
    """The last bit of an exponential would decide a code: another network is drawn."""


def quantize(x, integer, fraction):
    """The real number that x becomes: toward zero, limited."""
    if integer == 0 and fraction == 0:
        return F(1) if x >= 0 else F(-1)
    steps = min(math.floor(abs(x) * 2**fraction), 2 ** (integer + fraction) - 1)
    value = F(steps, 2**fraction)
    return -value if x < 0 else value


def code(x, fraction):
    scaled = F(x) * 2**fraction
    assert scaled.denominator == 1, (x, fraction)
    return scaled.numerator


def wide_bits(x, integer, n):
    """The n - 1 top magnitude bits of |x| re-read with `integer` bits before the point, most significant first."""
    wide = min(math.floor(x * 2 ** (31 - integer)), 2**31 - 1)
    top = wide >> (31 - (n - 1))
    return [(top >> (n - 2 - i)) & 1 for i in range(n - 1)]


def saturated(x, integer):
    """|x| as the wide word holds it."""
    return min(abs(x), F(2**31 - 1, 2 ** (31 - integer)))


def hamming(a, b, integer, n):
    """(similarity, slope to a, slope to b, released slope to b); a: memory, b: query."""
    sign_a, sign_b = (-1 if a < 0 else 1), (-1 if b < 0 else 1)
    mag_a, mag_b = saturated(a, integer), saturated(b, integer)
    if sign_a == sign_b:
        least = min(mag_a, mag_b)
        mag_a, mag_b = mag_a - least, mag_b - least
    elif mag_a >= mag_b:
        mag_a, mag_b = saturated(mag_a + mag_b, integer), F(0)
    else:
        mag_a, mag_b = F(0), saturated(mag_a + mag_b, integer)
    bits_a, bits_b = wide_bits(mag_a, integer, n), wide_bits(mag_b, integer, n)
    similarity = sign_a * sign_b * sum(F(1, 2 ** (i + 1)) for i in range(n - 1) if bits_a[i] == bits_b[i])
    jump = -1 if sign_a != sign_b else 0
    slope_a = jump + sum(-sign_b * (x - y) for x, y in zip(bits_a, bits_b))
    slope_b = jump + sum(sign_a * (x - y) for x, y in zip(bits_a, bits_b))
    released, held = jump, 0
    for x, y in zip(bits_a, bits_b):
        if x != y:
            held = sign_a * (x - y)
        released += held
    return similarity, slope_a, slope_b, released


def arithmetic():
    rng = random.Random(11)
    for _ in range(300):
        n = rng.choice([2, 4, 8, 8, 12])
        integer = rng.randrange(0, n)
        fraction = n - 1 - integer
        x = F(rng.randrange(-(2**20), 2**20), 2 ** rng.choice([12, 16, 20]))
        print("real", x.numerator * (2**20 // x.denominator), integer, fraction, code(quantize(x, integer, fraction), fraction))
    for _ in range(300):
        integer, fraction = rng.choice([(5, 2), (2, 5), (0, 7), (7, 0), (3, 4)])
        other = rng.choice([fraction, 0, 3])
        limit = 2 ** (integer + fraction) - 1
        a, b = rng.randrange(-limit, limit + 1), rng.randrange(-127, 128)
        product = quantize(F(a, 2**fraction) * F(b, 2**other), integer, fraction)
        print("product", a, b, integer, fraction, other, code(product, fraction))
    for integer, fraction in [(2, 5), (1, 6), (5, 2), (0, 7), (3, 2)]:
        n = 1 + integer + fraction
        for extra in (0, 1):
            limit = 2 ** (integer + fraction + extra) - 1
            for _ in range(150):
                a, b = (rng.choice([rng.randrange(-limit, limit + 1), rng.choice([-limit, -1, 0, 1, limit])]) for _ in "ab")
                similarity, slope_a, slope_b, released = hamming(
                    F(a, 2 ** (fraction + extra)), F(b, 2 ** (fraction + extra)), integer, n)
                print("hamming", a, b, integer, fraction, fraction + extra, code(similarity, n - 1), slope_a, slope_b, released)


def position_weights(d, slots):
    """l, as 32-bit floats hold it (the quotient is rounded once)."""
    import struct
    def weight(j, k):
        value = 1 + 4 * (k + 1 - (d + 1) / 2) * (j + 1 - (slots + 1) / 2) / (d * slots)
        return F(struct.unpack("f", struct.pack("f", value))[0])
    return [[weight(j, k) for k in range(d)] for j in range(slots)]


def network(rng, name, n, integer, similarity, hop_formats, one_bit_query, one_bit_weights, layerwise, position, linear,
            integer_only=False, slots=0):
    vocabulary, memory, d, hops, sentence = 7, 4, 5, 3, 4
    rows = vocabulary + memory
    sizes = ([("A", rows), ("C", rows), ("B", vocabulary), ("W", vocabulary), ("H", d)] if layerwise
             else [("E%d" % k, rows) for k in range(hops + 1)])
    spread = 2 if one_bit_weights or integer < 2 else 4
    matrices = {key: [[F(rng.randrange(-spread * 1024, spread * 1024), 1024) for _ in range(d)] for _ in range(count)]
                for key, count in sizes}
    facts = [[1, 2, 3], [4, 4, 5], [6, 1, 0, 2], [3]]
    question = [5, 5, 1]
    base = (integer, n - 1 - integer)

    def hop_format(hop):
        shift = 0 if not hop_formats else 1 if hop == 0 else -1 if hop == hops - 1 else 0
        return base[0] + shift, base[1] - shift

    def part(kind, hop):
        if layerwise:
            return matrices[kind]
        return matrices[{"A": "E%d" % hop, "C": "E%d" % (hop + 1), "B": "E0"}[kind]]

    weights = position_weights(d, sentence + 1)

    def mean(matrix):
        import struct
        total = sum(abs(x) for row in matrix for x in row) / (len(matrix) * d)
        return F(struct.unpack("f", struct.pack("f", float(total)))[0])

    def embed(matrix, words, age, fmt):
        entries = []  # (row, weight of each k)
        if position:
            entries = [(w, weights[min(place, sentence - 1)]) for place, w in enumerate(words) if w]
        else:
            entries = [(w, [F(words.count(w))] * d) for w in sorted(set(words)) if w]
        if age is not None:
            entries.append((vocabulary + age, weights[sentence] if position else [F(1)] * d))
        result = []
        for k in range(d):
            if one_bit_weights:
                total = sum(quantize(matrix[row][k], 0, 0) * quantize(x[k], *fmt) for row, x in entries)
                result.append(quantize(mean(matrix) * total, *fmt))
            else:
                total = sum(quantize(quantize(matrix[row][k], *fmt) * quantize(x[k], *fmt), *fmt) for row, x in entries)
                result.append(quantize(total, *fmt))
        return result

    def codes(values, fmt):
        return [code(x, fmt[1]) for x in values]

    lines = []

    def emit(*values):
        lines.append(" ".join(str(value) for value in values))

    emit("network", name, n, integer, int(similarity == "hamming"), int(hop_formats), int(one_bit_query),
          int(one_bit_weights), int(layerwise), int(position), int(linear), int(integer_only), slots)
    emit("parameters", *[code(x, 10) for key, _ in sizes for row in matrices[key] for x in row])
    u = embed(part("B", 0), question, None, hop_format(0))
    for hop in range(hops):
        fmt = hop_format(hop)
        ages = [len(facts) - 1 - i for i in range(len(facts))]
        m = [embed(part("A", hop), fact, age, fmt) for fact, age in zip(facts, ages)]
        c = [embed(part("C", hop), fact, age, fmt) for fact, age in zip(facts, ages)]
        s = []
        for row in m:
            if similarity == "hamming":
                total = F(2) ** ALPHA * sum(hamming(x, y, integer, n)[0] for x, y in zip(row, u))
                s.append(max(-F(2) ** integer, min(F(2) ** integer, total)))
            else:
                query = [quantize(y, 0, 0) if one_bit_query else quantize(y, *base) for y in u]
                s.append(quantize(sum(quantize(quantize(x, *base) * y, *base) for x, y in zip(row, query)), *base))
        if linear:
            p = list(s)
        else:
            empty = [F(0)] * max(0, slots - len(facts))
            powers = [math.exp(float(x - max(s + empty))) for x in s + empty]
            p = [F(x / sum(powers)) for x in powers[:len(s)]]
            if integer_only:  # Q0.15 within a unit, 1 is 32767
                units = [min(32767, round(x * 2**15)) for x in p]
                cut = 2 ** (15 - base[1])
                if any(max(0, x - 1) // cut != min(32767, x + 1) // cut for x in units):
                    raise Borderline
                p = [F(x, 2**15) for x in units]
            for x in p if not integer_only else []:
                nearest = round(x * 2 ** base[1])
                if nearest > 0 and abs(x * 2 ** base[1] - nearest) < F(1, 10**4):
                    raise Borderline
        p = [quantize(x, *base) for x in p]
        o = [quantize(sum(quantize(quantize(c[i][j], *base) * p[i], *base) for i in range(len(facts))), *base)
             for j in range(d)]
        if layerwise:
            H = matrices["H"]
            x = [quantize(y, 0, 0) if one_bit_query else quantize(y, *fmt) for y in u]
            if one_bit_weights:
                h = [quantize(mean(H) * sum(quantize(w, 0, 0) * y for w, y in zip(row, x)), *fmt) for row in H]
            else:
                h = [quantize(sum(quantize(quantize(w, *fmt) * y, *fmt) for w, y in zip(row, x)), *fmt) for row in H]
        else:
            h = u
        emit("m", *[x for row in m for x in codes(row, fmt)])
        emit("c", *[x for row in c for x in codes(row, fmt)])
        emit("s", *[code(x, n - 1 - ALPHA if similarity == "hamming" else base[1]) for x in s])
        emit("p", *codes(p, base))
        u = [quantize(quantize(a, *base) + b, *base) for a, b in zip(h, o)]
        emit("u", *codes(u, base))
    if integer_only:
        W = matrices["W"][:vocabulary] if layerwise else matrices["E%d" % hops][:vocabulary]
        emit("scores", *[code(sum(quantize(w, *base) * y for w, y in zip(row, u)), 2 * base[1]) for row in W])
    return lines


def networks():
    rng = random.Random(5)
    rows = [("conventional", 8, 5, "dot", 0, 0, 0), ("conventional_mq", 8, 5, "dot", 1, 0, 0),
            ("qmann", 8, 2, "hamming", 1, 0, 0), ("hamming_alone", 8, 1, "hamming", 0, 0, 0),
            ("binary_query", 8, 4, "dot", 0, 1, 0), ("qmann_binary", 8, 2, "hamming", 1, 1, 0),
            ("binary_weights", 8, 3, "dot", 0, 0, 1), ("all_binary", 8, 3, "dot", 1, 1, 1),
            ("no_integer_bits", 8, 0, "dot", 0, 0, 0), ("four_bits", 4, 2, "dot", 0, 0, 0)]
    rows = [row + (False,) for row in rows]
    rows += [("integers", 8, 4, "dot", 0, 0, 0, True), ("qmann_integers", 8, 2, "hamming", 1, 0, 0, True),
             ("binary_integers", 8, 3, "dot", 0, 1, 1, True), ("linear_integers", 8, 2, "hamming", 0, 0, 0, True)]
    rows = [row + (0,) for row in rows]
    rows += [("empty", 8, 4, "dot", 0, 0, 0, False, 10), ("qmann_empty", 8, 2, "hamming", 1, 0, 0, False, 6),
             ("integers_empty", 8, 4, "dot", 0, 0, 0, True, 9), ("qmann_integers_empty", 8, 2, "hamming", 1, 1, 0, True, 5),
             ("linear_empty", 8, 2, "dot", 0, 0, 1, True, 50), ("none_empty", 8, 3, "dot", 0, 0, 0, True, 4)]
    for name, n, integer, similarity, mq, query, weights, integer_only, slots in rows:
        for layerwise in (True, False):
            for position in (False, True):
                while True:
                    try:
                        lines = network(rng, name, n, integer, similarity, bool(mq), bool(query), bool(weights),
                                        layerwise, position, linear=name in ("conventional_mq", "linear_integers", "linear_empty"),
                                        integer_only=integer_only, slots=slots)
                        break
                    except Borderline:
                        pass
                print("\n".join(lines))


if __name__ == "__main__":
    {"arithmetic": arithmetic, "networks": networks}[sys.argv[1]]()
