#!/usr/bin/env python3
"""Ours and theirs in turn on the same files, and how many times longer theirs takes.

    python3 benches/peers/compare.py [--layer B C BC] [--rounds 2] [--threads 1] [--epochs 4] [--units 25]
                                      [--batch 32] [--texts 11667] [--tokens 16] [--python torch=PATH] ...

Each peer may live in an environment of its own: --python torch=venv/bin/python, likewise jax and keras. A peer that cannot be
imported is named and left out. The first epoch of a program warms it up (caches, compilation) and does not count; of the
others it is the median. Standard library only.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

import synth

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
OURS = "mtlcore"
# (what must be importable, script, variant)
PEERS = [
    ("jax", "jax_peer.py", ""),
    ("torch", "torch_peer.py", "packed"),
    ("torch", "torch_peer.py", "plain"),
    ("keras", "keras_peer.py", "tensorflow"),
    ("keras", "keras_peer.py", "jax"),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", nargs="+", choices=["B", "C", "BC"], default=["B", "C", "BC"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--units", type=int, default=25, help="of the LSTM, in each direction")
    parser.add_argument("--batch", type=int, default=32, help="texts of a step")
    parser.add_argument("--texts", type=int, default=synth.TEXTS)
    parser.add_argument("--tokens", type=int, default=synth.TOKENS, help="of a text, on average")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH")
    args = parser.parse_args()
    if args.epochs < 2:
        parser.error("--epochs: the first one does not count, so it takes 2 or more")
    return args


def our_program():
    """Builds the program that trains with mtlcore; its path."""
    command = ["cargo", "bench", "--bench", "peers", "--no-run", "--message-format", "json"]
    built = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    programs = [m["executable"] for m in messages if m.get("target", {}).get("name") == "peers" and m.get("executable")]
    return programs[-1]


def installed(python, module, variant):
    needed = [module] + ([variant] if module == "keras" else [])
    code = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))"
    return subprocess.run([python, "-c", code, *needed], stderr=subprocess.DEVNULL).returncode == 0


def epoch(command, args, files, layer):
    """What a program says after training."""
    pin = ["taskset", "-c", "0"] if args.threads == 1 and shutil.which("taskset") else []
    same = {name: getattr(args, name) for name in ("threads", "epochs", "units", "batch")}
    options = ["--layer", layer, *(part for name, value in same.items() for part in (f"--{name}", str(value)))]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(pin + command + options + files, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1]}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    said["epoch"] = statistics.median(said["seconds"][1:])
    return said


def main():
    args = arguments()
    pythons = dict(choice.split("=", 1) for choice in args.python)
    folder = PROJECT / "target" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    sizes = f"{args.texts}x{args.tokens}"
    posts, vectors = folder / f"posts-{sizes}.tsv", folder / f"vectors-{sizes}.txt"
    if not (posts.exists() and vectors.exists()):
        synth.write(posts, vectors, args.texts, args.tokens)
    files = ["--posts", str(posts), "--vectors", str(vectors)]

    programs = [(OURS, [our_program()])]
    for module, script, variant in PEERS:
        python = pythons.get(module, sys.executable)
        if installed(python, module, variant):
            command = [python, str(HERE / script)] + (["--variant", variant] if variant else [])
            programs.append((f"{script} {variant}", command))
        else:
            print(f"not installed, left out: {' on '.join(filter(None, [module, variant]))} (for {python})")

    sizes = f"{args.texts:,} texts of {args.tokens} tokens, {args.units} units, batches of {args.batch}, on {args.threads} thread(s)"
    print(f"\nSeconds per epoch of {sizes}, and how many times ours each takes.\n")
    print("| round | layer | program | s per epoch | times ours | peak MiB | loss |\n|---|---|---|---|---|---|---|")
    for round_ in range(1, args.rounds + 1):
        for layer in args.layer:
            ours = None
            for name, command in programs:
                said = epoch(command, args, files, layer)
                ours = said["epoch"] if name == OURS else ours
                times = "" if name == OURS else f"{said['epoch'] / ours:.1f} ×"
                cells = [round_, layer, said["peer"], f"{said['epoch']:.3f}", times, said["mib"], f"{said['loss']:.3f}"]
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


main()
