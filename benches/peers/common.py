"""What the Python peers share: arguments, data and the line that they print."""

import argparse
import json
import resource

import numpy as np

FILTERS = 25
WIDTH = 3  # tokens that a filter sees
DROPOUT = 0.25
LEARNING_RATE = 1e-3


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--layer", choices=["B", "C", "BC"], required=True)
    parser.add_argument("--posts", required=True)
    parser.add_argument("--vectors", required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--units", type=int, default=25, help="of the LSTM, in each direction")
    parser.add_argument("--variant", default="")
    return parser.parse_args()


def load(args):
    """Ids of each text (0 is padding), labels [n, 2] with -1 where one is missing, and the vectors of the words in use."""
    ids, texts, labels = {"<pad>": 0}, [], []
    with open(args.posts) as file:
        next(file)
        for line in file:
            one, two, text = line.rstrip("\n").split("\t")
            labels.append([int(label) if label else -1 for label in (one, two)])
            texts.append([ids.setdefault(word, len(ids)) for word in text.split()])
    vectors = np.zeros((len(ids), 200), np.float32)
    with open(args.vectors) as file:
        for line in file:
            word, _, numbers = line.partition(" ")
            if word in ids:
                vectors[ids[word]] = np.array(numbers.split(), dtype=np.float32)
    return texts, np.array(labels, np.float32), vectors


def padded(texts, length):
    rows = np.zeros((len(texts), length), np.int64)
    for i, text in enumerate(texts):
        rows[i, : len(text)] = text
    return rows


def report(name, seconds, loss):
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peer": name, "seconds": seconds, "loss": float(loss), "mib": round(memory)}))
