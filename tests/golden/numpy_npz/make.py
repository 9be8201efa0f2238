#!/usr/bin/env python3
"""Small arrays as NumPy itself writes them. Usage: make.py OUT.npz"""
import sys

import numpy as np

np.savez_compressed(
    sys.argv[1],
    whole=np.arange(6, dtype="<i2").reshape(2, 3),
    fortran=np.asfortranarray(np.arange(6, dtype="<f4").reshape(2, 3) / 2),
    scalar=np.float64(0.25),
    flags=np.array([True, False]),
)
