"""The models, the loss and Adam, written for reading: one text at a time, one token at a time, in f64.

PyTorch is used for array arithmetic and for its gradients; none of its layers or optimisers appear here, so that
`peers.py` can hold them against this file. Names and layouts of the parameters are those of Keras.
"""

import math

import torch
from torch.nn.functional import embedding, softplus


def shapes(config):
    """The shape of every parameter of the model that `config` describes, by name."""
    vocabulary, width = config["vocabulary"], config["embedding"]
    units, filters = config["units"], config["filters"]
    result = {"embedding.weight": (vocabulary, width)}
    if config["shared"] in ("bilstm", "bilstm-conv"):
        for direction in ("forward", "backward"):
            result[f"shared.bilstm.{direction}.kernel"] = (width, 4 * units)
            result[f"shared.bilstm.{direction}.recurrent_kernel"] = (units, 4 * units)
            result[f"shared.bilstm.{direction}.bias"] = (4 * units,)
        width = 2 * units
    if config["shared"] in ("conv", "bilstm-conv"):
        result["shared.conv.kernel"] = (config["kernel_width"], width, filters)
        result["shared.conv.bias"] = (filters,)
        width = filters
    for task in config["tasks"]:
        result[f"heads.{task}.kernel"] = (width, 1)
        result[f"heads.{task}.bias"] = (1,)
    return result


def hard_sigmoid(x):
    """Keras 2's form; Keras 3 and PyTorch have another one, relu6(x + 3) / 6."""
    return torch.clamp(0.2 * x + 0.5, 0.0, 1.0)


GATES = {"sigmoid": torch.sigmoid, "hard_sigmoid": hard_sigmoid}
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


def lstm(x, kernel, recurrent_kernel, bias, gate):
    """Hidden states [T, H] of one direction over the rows of x [T, E], first row first. Gates: i, f, c, o."""
    h = c = torch.zeros(recurrent_kernel.shape[0], dtype=x.dtype)
    states = []
    for row in x:
        i, f, candidate, o = (row @ kernel + h @ recurrent_kernel + bias).chunk(4)
        c = gate(f) * c + gate(i) * torch.tanh(candidate)
        h = gate(o) * torch.tanh(c)
        states.append(h)
    return torch.stack(states) if states else x.new_zeros(0, len(h))


def bilstm(config, parameters, x):
    """Hidden states [T, 2H] of both directions, each row [forward, backward] at one token."""
    gate = GATES[config["gate_activation"]]
    forward, backward = (
        [parameters[f"shared.bilstm.{direction}.{part}"] for part in ("kernel", "recurrent_kernel", "bias")]
        for direction in ("forward", "backward")
    )
    return torch.cat([lstm(x, *forward, gate), lstm(x.flip(0), *backward, gate).flip(0)], dim=1)


def convolution(config, parameters, x):
    """One vector [F] for a text x [T, C]: valid cross-correlation, activation, max or mean over time."""
    kernel, bias = parameters["shared.conv.kernel"], parameters["shared.conv.bias"]
    missing = max(0, len(kernel) - len(x))  # a short text gets zero rows on its right, up to one window
    x = torch.cat([x, x.new_zeros(missing, x.shape[1])])
    windows = len(x) - len(kernel) + 1
    out = torch.stack([bias + sum(x[t + j] @ kernel[j] for j in range(len(kernel))) for t in range(windows)])
    return pool(ACTIVATIONS[config["conv_activation"]](out), config["conv_pooling"])


def pool(rows, kind):
    """Maximum or mean over the rows [T, D]; zeros for a text without tokens."""
    if len(rows) == 0:
        return rows.new_zeros(rows.shape[1])
    return rows.max(dim=0).values if kind == "max" else rows.mean(dim=0)


def sentence_of_states(config, states):
    """The vector [2H] that stands for a text whose hidden states are `states` [T, 2H]."""
    if config["sentence"] != "last" or len(states) == 0:
        return pool(states, config["sentence"])
    units = config["units"]
    return torch.cat([states[-1, :units], states[0, units:]])


def forward(config, parameters, batch):
    """Returns (hidden [N, 2H] or None, sentence [B, D], logits {task: [B]}); N counts the tokens of all texts."""
    lengths = [len(text) for text in batch["texts"]]
    ids = torch.tensor([token for text in batch["texts"] for token in text])
    # One look-up a batch: with lazy rows, every word of the batch is touched, whatever its gradient.
    x = embedding(ids, parameters["embedding.weight"], sparse=config["embedding_rows"] == "lazy").split(lengths)
    hidden = None
    if config["shared"] != "conv":
        x = [bilstm(config, parameters, rows) for rows in x]
        hidden = torch.cat(x)
    if config["shared"] == "bilstm":
        sentence = torch.stack([sentence_of_states(config, rows) for rows in x])
    else:
        sentence = torch.stack([convolution(config, parameters, rows) for rows in x])
    logits = {
        task: (sentence @ parameters[f"heads.{task}.kernel"] + parameters[f"heads.{task}.bias"]).squeeze(1)
        for task in config["tasks"]
    }
    return hidden, sentence, logits


def losses(config, logits, batch):
    """The loss of each task that has a label in the batch."""
    result = {}
    for task in config["tasks"]:
        labels = batch["labels"][task]
        terms = [softplus(z) - y * z for z, y in zip(logits[task], labels) if y is not None]
        if terms:
            result[task] = sum(terms) / {"labelled": len(terms), "batch": len(labels)}[config["normaliser"]]
    return result


def trainable(config, parameters):
    """Fresh copies of the parameters that ask for gradients, except a frozen embedding."""
    return {
        name: value.detach().clone().requires_grad_(name != "embedding.weight" or config["embeddings"] == "fine-tuned")
        for name, value in parameters.items()
    }


def set_absent_to_zero(config, parameters):
    """With `absent_task = decay`, the head of a task without a label in the batch has a gradient of zero."""
    for value in parameters.values():
        if config["absent_task"] == "decay" and value.requires_grad and value.grad is None:
            value.grad = torch.zeros_like(value)


class Adam:
    """Both forms of Adam. A parameter without a gradient is left alone: its value, its moments, its step count.

    A row-sparse gradient moves the values and moments of its own rows only; the step count is the parameter's.
    """

    def __init__(self, config):
        self.config = config["adam"]
        self.moments = {}  # name -> first moment, second moment
        self.steps = {}  # name -> step count

    def step(self, parameters):
        for name, parameter in parameters.items():
            if parameter.grad is not None:
                with torch.no_grad():
                    self.update(name, parameter)

    def update(self, name, parameter):
        lr, beta1, beta2, epsilon = (self.config[key] for key in ("learning_rate", "beta1", "beta2", "epsilon"))
        rows, gradient = slice(None), parameter.grad
        if gradient.is_sparse:
            gradient = gradient.coalesce()
            rows, gradient = gradient.indices()[0], gradient.values()
        m, v = self.moments.setdefault(name, (torch.zeros_like(parameter), torch.zeros_like(parameter)))
        t = self.steps[name] = self.steps.get(name, 0) + 1
        m[rows] = beta1 * m[rows] + (1 - beta1) * gradient
        v[rows] = beta2 * v[rows] + (1 - beta2) * gradient**2
        if self.config["form"] == "keras":
            rate = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
            parameter[rows] -= rate * m[rows] / (torch.sqrt(v[rows]) + epsilon)
        else:  # Kingma & Ba, Algorithm 1
            corrected_m, corrected_v = m[rows] / (1 - beta1**t), v[rows] / (1 - beta2**t)
            parameter[rows] -= lr * corrected_m / (torch.sqrt(corrected_v) + epsilon)
