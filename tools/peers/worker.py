#!/usr/bin/env python3
"""Times one other engine for 'quaver bench --peers', one JSON object a line on standard input and output.

    worker.py onnxruntime|litert|torch

At the start it says {"peer", "version", "isa_limit": "avx2" or "avxvnni" where without_avx512.py hides the rest of the
CPU, else null}, or {"missing": what, "why": text} and ends. Then, for each line:
    {"prepare": {"cell", "reset", "input", "hidden", "batch", "steps", "threads", "inputs", "seed",
                  "facts", "words", "vocabulary", "hops", "batches", "told"}}
                                      -> {"variants": [{"scheme", "path", "weight_bytes"}, ...]}, "codes": true where a
                                         call is handed int8 codes; of memn2n "batch", "stored" too
    {"run": {"variant": index, "calls": number}}
                                      -> {"seconds": of all calls together}
A failure answers {"error": text}. The end of the input is the end of the program.
"""
import importlib
import json
import os
import sys
import time

from limit import Limit


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not get between the answers

    def say(answer):
        answers.write(json.dumps(answer) + "\n")

    name = sys.argv[1]
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    try:
        peer = importlib.import_module("peer_" + name)
    except Exception as error:  # a package that is there but does not load is as good as missing
        say({"missing": name, "why": str(error)})
        return
    limit = Limit()
    say({"peer": name, "version": peer.VERSION, "isa_limit": limit.isa})

    variants = []
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                variants = []  # free the last shape before the next one is made
                variants = peer.variants(request["prepare"])
                say({"variants": [{key: v[key] for key in v if key != "call"} for v in variants]})
            else:
                call, calls = variants[request["run"]["variant"]]["call"], request["run"]["calls"]
                start = time.perf_counter()
                call(calls)
                seconds = time.perf_counter() - start
                limit.require_kept()
                say({"seconds": seconds})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


main()
