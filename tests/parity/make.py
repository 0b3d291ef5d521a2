"""Writes the golden values of the parity tests beside this script.

Run `python make.py` where torch, numpy and, if possible, keras are installed. Every value comes from `reference.py`
and is held against the layers and optimisers of `peers.py` before it is written.
"""

import json
from pathlib import Path

import numpy
import torch

import peers
import reference

STEPS, BATCH, SHORT_BATCH = 10, 6, 4
EMPTY_TEXT_STEP, ABSENT_TASK_STEP = 3, 5  # from zero
TOLERANCE = 1e-10

DEFAULT = {
    "shared": "bilstm",
    "tasks": ["a", "b"],
    "vocabulary": 12,
    "embedding": 5,
    "units": 3,
    "filters": 4,
    "kernel_width": 3,
    "gate_activation": "sigmoid",
    "sentence": "last",
    "conv_activation": "relu",
    "conv_pooling": "max",
    "embeddings": "frozen",
    "embedding_rows": "dense",
    "normaliser": "labelled",
    "absent_task": "skip",
    "adam": {"form": "kingma", "learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
}
PAPER = DEFAULT | {
    "gate_activation": "hard_sigmoid",
    "normaliser": "batch",
    "absent_task": "decay",
    "adam": DEFAULT["adam"] | {"form": "keras", "epsilon": 1e-7},
}
FINE_TUNED = {"embeddings": "fine-tuned", "embedding_rows": "lazy"}
CASES = {
    "bilstm-default": DEFAULT,
    "conv-default": DEFAULT | {"shared": "conv"},
    "bilstm-conv-default": DEFAULT | {"shared": "bilstm-conv"},
    "bilstm-paper": PAPER,
    "conv-paper": PAPER | {"shared": "conv"},
    "bilstm-conv-paper": PAPER | {"shared": "bilstm-conv"},
    "bilstm-max": DEFAULT | {"sentence": "max"},
    "bilstm-mean": DEFAULT | {"sentence": "mean"},
    "conv-mean": DEFAULT | {"shared": "conv", "conv_pooling": "mean"},
    "conv-tanh": DEFAULT | {"shared": "conv", "conv_activation": "tanh"},
    "bilstm-one-task": DEFAULT | {"tasks": ["a"]},
    "bilstm-fine-tuned": DEFAULT | FINE_TUNED,
    "bilstm-fine-tuned-dense": DEFAULT | FINE_TUNED | {"embedding_rows": "dense"},
    "conv-fine-tuned-paper": PAPER | FINE_TUNED | {"shared": "conv"},
}


def make_parameters(config, random):
    """Uniform values large enough that gates saturate; forget gates start near 1, as they do in training."""
    parameters = {}
    for name, shape in reference.shapes(config).items():
        value = torch.tensor(random.uniform(-1.2, 1.2, shape))
        if name.startswith("shared.bilstm") and name.endswith("bias"):
            value[config["units"] : 2 * config["units"]] += 1.0
        parameters[name] = value
    return parameters


def make_batches(config, random):
    """Texts of 1, 2 and more tokens from changing parts of the vocabulary, with about a third of the labels missing."""
    batches = []
    for step in range(STEPS):
        lengths = random.permutation([1, 2, 3, 4, 5, 8])[: SHORT_BATCH if step == STEPS - 1 else BATCH]
        if step == EMPTY_TEXT_STEP:
            lengths[2] = 0
        words = random.permutation(config["vocabulary"])[:9]
        texts = [random.choice(words, length).tolist() for length in lengths]
        labels = {task: [int(y) if y < 2 else None for y in random.randint(0, 3, len(texts))] for task in ("a", "b")}
        labels["a"][0], labels["b"][1] = step % 2, 1  # both tasks present,
        labels["a"][3] = labels["b"][3] = None  # and one text without any label
        if step == ABSENT_TASK_STEP:
            labels["b"] = [None] * len(texts)
        batches.append({"texts": texts, "labels": {task: labels[task] for task in config["tasks"]}})
    return batches


def array(tensor):
    return {"shape": list(tensor.shape), "data": tensor.detach().flatten().tolist()}


def arrays(tensors):
    return {name: array(tensor) for name, tensor in tensors.items()}


def dense(gradient):
    return gradient.to_dense() if gradient.is_sparse else gradient


def train(config, initial, batches):
    """The golden values of one case: everything about the first batch, the losses, the parameters at the end."""
    parameters, optimiser = reference.trainable(config, initial), reference.Adam(config)
    first, totals = None, []
    for batch in batches:
        for parameter in parameters.values():
            parameter.grad = None
        hidden, sentence, logits = reference.forward(config, parameters, batch)
        losses = reference.losses(config, logits, batch)
        total = sum(losses.values())
        total.backward()
        reference.set_absent_to_zero(config, parameters)
        totals.append(total.item())
        if first is None:
            first = {
                "hidden": None if hidden is None else array(hidden),
                "sentence": array(sentence),
                "logits": {task: z.tolist() for task, z in logits.items()},
                "loss": {"total": total.item(), "tasks": {task: loss.item() for task, loss in losses.items()}},
                "gradients": arrays({n: dense(p.grad) for n, p in parameters.items() if p.grad is not None}),
            }
        optimiser.step(parameters)
    return {"first": first, "losses": totals, "final": arrays(parameters)}


def difference(golden, tensors):
    """The largest absolute difference between golden arrays and tensors of the same names and shapes."""
    assert golden.keys() == tensors.keys(), (golden.keys(), tensors.keys())
    for name, tensor in tensors.items():
        assert golden[name]["shape"] == list(tensor.shape), name
    return max(
        numpy.abs(numpy.array(golden[name]["data"]) - dense(tensor).detach().flatten().numpy()).max()
        for name, tensor in tensors.items()
    )


def check(case, what, *differences):
    assert max(differences) < TOLERANCE, f"{case}: {what}: {differences}"
    print(f"{case:24} {what:58} {max(differences):.1e}")


def check_model(case, what, model, config, parameters, batch, golden):
    logits, gradients = model(config, parameters, batch)
    logits_golden = {task: {"shape": [len(z)], "data": z} for task, z in golden["first"]["logits"].items()}
    check(case, what, difference(logits_golden, logits), difference(golden["first"]["gradients"], gradients))


def check_case(case, config, parameters, batches, golden):
    """Holds one case against every peer that can do the same."""
    if config["shared"] == "conv" or config["gate_activation"] == "sigmoid":
        what = "first batch = nn.LSTM, conv1d, linear of PyTorch"
        check_model(case, what, peers.torch_model, config, parameters, batches[0], golden)
    if peers.keras:
        what = "first batch = Bidirectional(LSTM), Conv1D, Dense of Keras"
        check_model(case, what, peers.keras_model, config, parameters, batches[0], golden)
    if config["adam"]["form"] == "kingma":
        sparse = ", SparseAdam" if config["embedding_rows"] == "lazy" else ""
        final = peers.torch_adam(config, parameters, batches)
        check(case, f"ten steps = torch.optim.Adam{sparse}", difference(golden["final"], final))
    elif peers.keras and config["embedding_rows"] == "dense":
        final = peers.keras_adam(config, parameters, batches)
        check(case, "ten steps = keras.optimizers.Adam", difference(golden["final"], final))
    # The order of summation must not matter, or an engine that sums otherwise could not be held against the file.
    reversed_batches = [
        {"texts": b["texts"][::-1], "labels": {task: y[::-1] for task, y in b["labels"].items()}} for b in batches
    ]
    final = train(config, parameters, reversed_batches)["final"]
    final = {name: torch.tensor(v["data"], dtype=torch.float64).reshape(v["shape"]) for name, v in final.items()}
    check(case, "ten steps = ten steps with the texts reversed", difference(golden["final"], final))


def check_gates(case, config, parameters, batch):
    """A case with hard_sigmoid must use all three of its pieces, and no gate may stand at a kink."""
    inputs = []

    def recording(x):
        inputs.append(x.detach())
        return reference.hard_sigmoid(x)

    saved = reference.GATES["hard_sigmoid"]
    reference.GATES["hard_sigmoid"] = recording
    reference.forward(config, parameters, batch)
    reference.GATES["hard_sigmoid"] = saved
    x = torch.cat(inputs)
    below, above = (x < -2.5).sum().item(), (x > 2.5).sum().item()
    distance = (x.abs() - 2.5).abs().min().item()
    assert below and above and below + above < len(x) and distance > 1e-6, (case, below, above, distance)
    print(f"{case:24} gates at 0: {below}, between: {len(x) - below - above}, at 1: {above}")


def adam_cases(random):
    """Adam alone: five steps of one number, and five row-sparse steps of a matrix."""
    scalars, rows = [], []
    start, touched = torch.tensor(random.uniform(-1, 1, (5, 3))), [[0, 2], [2, 3], [0], [1, 2, 3], [0, 3]]
    steps = [(ids, torch.tensor(random.uniform(-1, 1, (len(ids), 3)))) for ids in touched]  # row 4 is never touched
    for adam in (PAPER["adam"], DEFAULT["adam"]):
        settings = adam | {"learning_rate": 1e-3}
        gradients, values = [0.5, -0.25, 0.125, 0.0, 2.0], []
        x, optimiser = torch.zeros(1, dtype=torch.float64), reference.Adam({"adam": settings})
        for gradient in gradients:
            x.grad = torch.full_like(x, gradient)
            optimiser.step({"x": x})
            values.append(x.item())
        expected = {"keras": 9.99993675e-4, "kingma": 9.9999998e-4}[settings["form"]]
        check("adam", f"first step, {settings['form']} = {expected}", abs(values[0] + expected))
        scalars.append({"adam": settings, "start": 0.0, "gradients": gradients, "values": values})

        x, optimiser, values = start.clone(), reference.Adam({"adam": settings}), []
        peer = start.clone()
        sparse_adam = torch.optim.SparseAdam([peer], lr=settings["learning_rate"], eps=settings["epsilon"])
        for step, (ids, gradient) in enumerate(steps, start=1):
            x.grad = peer.grad = torch.sparse_coo_tensor([ids], gradient, start.shape, check_invariants=True)
            optimiser.step({"x": x})
            values.append(array(x))
            if settings["form"] == "kingma":  # SparseAdam's form is Keras'
                sparse_adam.param_groups[0]["eps"] = settings["epsilon"] * (1 - settings["beta2"] ** step) ** 0.5
            sparse_adam.step()
            what = f"lazy rows, {settings['form']}, step {step} = torch.optim.SparseAdam"
            check("adam", what, difference({"x": values[-1]}, {"x": peer}))
        golden_steps = [{"rows": ids, "gradient": array(gradient)} for ids, gradient in steps]
        rows.append({"adam": settings, "start": array(start), "steps": golden_steps, "values": values})
    return {"scalar": scalars, "lazy_rows": rows}


def write(name, contents):
    """One line a field; Python writes the shortest decimal that reads back as the same f64."""
    fields = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in contents.items())
    Path(__file__).with_name(f"{name}.json").write_text("{\n" + fields + "\n}\n")


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    print("PyTorch", torch.__version__, "and", f"Keras {peers.keras.__version__}" if peers.keras else "no Keras")
    for case, config in CASES.items():
        # RandomState's streams are frozen for good, so the inputs never change with a new NumPy.
        parameters = make_parameters(config, numpy.random.RandomState(1))
        batches = make_batches(config, numpy.random.RandomState(2))
        golden = train(config, parameters, batches)
        check_case(case, config, parameters, batches, golden)
        if config["gate_activation"] == "hard_sigmoid" and config["shared"] != "conv":
            check_gates(case, config, parameters, batches[0])
        write(case, {"config": config, "parameters": arrays(parameters), "batches": batches} | golden)
    write("adam", adam_cases(numpy.random.RandomState(3)))


if __name__ == "__main__":
    main()
