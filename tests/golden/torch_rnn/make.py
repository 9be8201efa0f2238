#!/usr/bin/env python3
"""The small golden set of the float cells: torch.nn.LSTM, GRU and RNN with weights, inputs, outputs and states.

Usage: apt-get install python3-torch python3-numpy; make.py [FOLDER]      (default: the folder of this script)
"""
import json
import pathlib
import struct
import sys

import numpy as np
import torch

SEED = 812
CASES = {
    "lstm_one_unit": (torch.nn.LSTM, dict(input_size=1, hidden_size=1)),
    "lstm": (torch.nn.LSTM, dict(input_size=4, hidden_size=6)),
    "lstm_no_bias_stacked": (torch.nn.LSTM, dict(input_size=3, hidden_size=5, num_layers=3, bias=False)),
    "lstm_bidirectional": (torch.nn.LSTM, dict(input_size=5, hidden_size=4, num_layers=2, bidirectional=True)),
    "lstm_projection_bidirectional": (torch.nn.LSTM, dict(input_size=5, hidden_size=7, num_layers=2, bidirectional=True,
                                                          proj_size=3)),
    "gru_one_unit": (torch.nn.GRU, dict(input_size=1, hidden_size=1)),
    "gru_stacked": (torch.nn.GRU, dict(input_size=4, hidden_size=6, num_layers=2)),
    "gru_bidirectional": (torch.nn.GRU, dict(input_size=5, hidden_size=4, num_layers=2, bidirectional=True)),
    "rnn_tanh_bidirectional": (torch.nn.RNN, dict(input_size=4, hidden_size=5, bidirectional=True)),
    "rnn_relu_stacked": (torch.nn.RNN, dict(input_size=4, hidden_size=5, num_layers=2, nonlinearity="relu")),
}


def write_safetensors(path, tensors):
    header, body = {}, b""
    for name, tensor in tensors.items():
        values = np.ascontiguousarray(tensor.numpy().astype("<f4"))
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(body), len(body) + values.nbytes]}
        body += values.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def main():
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, (module, arguments)) in enumerate(CASES.items()):
        torch.manual_seed(SEED + number)
        network = module(**arguments).eval()
        arrays, state = {}, None
        for k, steps in (("1", 11), ("2", 6)):
            x = 2 * torch.randn(steps, 2, arguments["input_size"])
            with torch.no_grad():
                y, state = network(x, state)
            arrays["x" + k], arrays["y" + k] = x, y
            if module is torch.nn.LSTM:
                arrays["h" + k], arrays["c" + k] = state
            else:
                arrays["h" + k] = state
        write_safetensors(folder / f"{name}.safetensors", network.state_dict())
        np.savez_compressed(folder / f"{name}.npz", **{key: value.numpy() for key, value in arrays.items()})


if __name__ == "__main__":
    main()
