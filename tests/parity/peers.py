"""The same models and optimisers from the layers of PyTorch and Keras, to hold against `reference.py`.

A model function returns (logits {task: [B]}, gradients {name: tensor}) of a batch; an optimiser function returns the
parameters after one step a batch. Parameters and gradients are in the layouts of the reference throughout. No text
may be empty: neither library can say what its models do then.
"""

import math
import os

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

import reference

try:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    from keras.src.backend.common import dtypes

    keras.config.set_floatx("float64")
    # Outside TensorFlow, Keras 3 computes a product of f64 in f32 (keras-team/keras issue 23223) by way of this table.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"

    @keras.saving.register_keras_serializable(package="parity")  # because Bidirectional serialises its layer
    def keras2_hard_sigmoid(x):
        return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)

except ImportError:
    keras = None


def total_loss(config, logits, batch):
    """The tasks' losses, summed, by PyTorch's own binary cross-entropy: a missing label weighs zero."""
    total = 0.0
    for task in config["tasks"]:
        labels = batch["labels"][task]
        weight = torch.tensor([float(label is not None) for label in labels])
        target = torch.tensor([float(label or 0) for label in labels])
        count = weight.sum() if config["normaliser"] == "labelled" else len(labels)
        loss = functional.binary_cross_entropy_with_logits(logits[task], target, weight, reduction="sum")
        total = total + loss / count
    return total


def torch_model(config, parameters, batch):
    """nn.LSTM on packed texts, conv1d, linear. Only for sigmoid gates: nn.LSTM has no others."""
    parameters = reference.trainable(config, parameters)
    x = [functional.embedding(torch.tensor(text), parameters["embedding.weight"]) for text in batch["texts"]]
    sentence = None
    if config["shared"] != "conv":
        weights = {}
        for direction, suffix in (("forward", "l0"), ("backward", "l0_reverse")):
            kernel, recurrent_kernel, bias = (
                parameters[f"shared.bilstm.{direction}.{part}"] for part in ("kernel", "recurrent_kernel", "bias")
            )
            weights[f"weight_ih_{suffix}"] = kernel.T
            weights[f"weight_hh_{suffix}"] = recurrent_kernel.T
            weights[f"bias_ih_{suffix}"] = bias
            weights[f"bias_hh_{suffix}"] = torch.zeros_like(bias)
        layer = nn.LSTM(config["embedding"], config["units"], bidirectional=True)
        packed, (final, _) = functional_call(layer, weights, (pack_sequence(x, enforce_sorted=False),))
        x = unpack_sequence(packed)
        sentence = {
            "last": torch.cat([final[0], final[1]], dim=1),
            "max": torch.stack([states.amax(dim=0) for states in x]),
            "mean": torch.stack([states.mean(dim=0) for states in x]),
        }[config["sentence"]]
    if config["shared"] != "bilstm":
        pooled = {"max": functional.adaptive_max_pool1d, "mean": functional.adaptive_avg_pool1d}[config["conv_pooling"]]
        activation = {"relu": functional.relu, "tanh": functional.tanh}[config["conv_activation"]]
        weight, bias = parameters["shared.conv.kernel"].permute(2, 1, 0), parameters["shared.conv.bias"]
        rows = [functional.pad(row, (0, 0, 0, max(0, config["kernel_width"] - len(row)))) for row in x]
        sentence = torch.stack([pooled(activation(functional.conv1d(row.T, weight, bias)), 1)[:, 0] for row in rows])
    logits = {
        task: functional.linear(sentence, parameters[f"heads.{task}.kernel"].T, parameters[f"heads.{task}.bias"])[:, 0]
        for task in config["tasks"]
    }
    total_loss(config, logits, batch).backward()
    return logits, {name: value.grad for name, value in parameters.items() if value.grad is not None}


def keras_model(config, parameters, batch):
    """Embedding, Bidirectional(LSTM), Conv1D, pooling and Dense of Keras, one text a call."""
    layers, variables = keras.layers, {}

    def build(layer, *shape):
        layer.build((1, None, *shape))
        return layer

    def load(names, weights):
        for name, variable in zip(names, weights, strict=True):
            variable.assign(parameters[name].detach())
            variables[name] = variable

    lookup = build(layers.Embedding(config["vocabulary"], config["embedding"]))
    load(["embedding.weight"], lookup.weights)
    encoder, width = [], config["embedding"]
    if config["shared"] != "conv":
        every_state = config["shared"] == "bilstm-conv" or config["sentence"] != "last"
        gate = {"sigmoid": "sigmoid", "hard_sigmoid": keras2_hard_sigmoid}[config["gate_activation"]]
        lstm = layers.LSTM(config["units"], recurrent_activation=gate, return_sequences=every_state, name="lstm")
        bidirectional = build(layers.Bidirectional(lstm), width)
        # From Keras' own names, such as bidirectional/forward_lstm/lstm_cell/kernel, so that ours are checked too.
        parts = [variable.path.split("/") for variable in bidirectional.weights]
        load([f"shared.bilstm.{p[-3].removesuffix('_lstm')}.{p[-1]}" for p in parts], bidirectional.weights)
        encoder, width = [bidirectional], 2 * config["units"]
    if config["shared"] != "bilstm":
        activation = config["conv_activation"]
        conv = build(layers.Conv1D(config["filters"], config["kernel_width"], activation=activation), width)
        load(["shared.conv.kernel", "shared.conv.bias"], conv.weights)
        encoder += [lambda x: functional.pad(x, (0, 0, 0, max(0, config["kernel_width"] - x.shape[1]))), conv]
        width = config["filters"]
    pooling = config["sentence"] if config["shared"] == "bilstm" else config["conv_pooling"]
    if pooling != "last":
        encoder.append({"max": layers.GlobalMaxPooling1D, "mean": layers.GlobalAveragePooling1D}[pooling]())
    heads = {task: layers.Dense(1) for task in config["tasks"]}
    for task, head in heads.items():
        head.build((1, width))
        load([f"heads.{task}.kernel", f"heads.{task}.bias"], head.weights)

    rows = []
    for text in batch["texts"]:
        x = lookup(torch.tensor([text]))
        for layer in encoder:
            x = layer(x)
        rows.append(x)
    logits = {task: head(torch.cat(rows))[:, 0] for task, head in heads.items()}
    total_loss(config, logits, batch).backward()
    gradients = {name: variable.value.grad for name, variable in variables.items()}
    if config["embeddings"] == "frozen":
        del gradients["embedding.weight"]
    return logits, gradients


def gradients_of(config, parameters, batch):
    """Fills the `grad` of every parameter by way of the reference; only the optimisers are under test here."""
    for parameter in parameters.values():
        parameter.grad = None
    sum(reference.losses(config, reference.forward(config, parameters, batch)[2], batch).values()).backward()
    reference.set_absent_to_zero(config, parameters)


def torch_adam(config, parameters, batches):
    """torch.optim.Adam, and torch.optim.SparseAdam for an embedding with lazy rows.

    torch.optim.Adam is Kingma & Ba's form, torch.optim.SparseAdam is Keras': there, ε is added to √v before its
    correction for the bias. The two agree if ε is scaled by √(1 − β₂ᵗ).
    """
    parameters = reference.trainable(config, parameters)
    settings = config["adam"]
    options = {
        "lr": settings["learning_rate"],
        "betas": (settings["beta1"], settings["beta2"]),
        "eps": settings["epsilon"],
    }
    sparse = {"embedding.weight"} if config["embedding_rows"] == "lazy" else set()
    dense = [p for name, p in parameters.items() if p.requires_grad and name not in sparse]
    optimisers = [(torch.optim.Adam(dense, **options), "kingma")]
    if sparse:
        optimisers.append((torch.optim.SparseAdam([parameters["embedding.weight"]], **options), "keras"))
    for step, batch in enumerate(batches, start=1):
        gradients_of(config, parameters, batch)
        for optimiser, form in optimisers:
            if form != settings["form"]:
                # Right for parameters that have a gradient in every batch, so that `step` is their step count.
                correction = math.sqrt(1 - settings["beta2"] ** step)
                scale = correction if form == "keras" else 1 / correction
                optimiser.param_groups[0]["eps"] = settings["epsilon"] * scale
            optimiser.step()
    return parameters


def keras_adam(config, parameters, batches):
    """keras.optimizers.Adam, which wants a gradient for every variable in every step and updates every row."""
    parameters = reference.trainable(config, parameters)
    settings = config["adam"]
    variables = {
        name: keras.Variable(p.detach().numpy(), dtype="float64") for name, p in parameters.items() if p.requires_grad
    }
    optimiser = keras.optimizers.Adam(
        settings["learning_rate"], settings["beta1"], settings["beta2"], epsilon=settings["epsilon"]
    )
    optimiser.build(list(variables.values()))
    for batch in batches:
        gradients_of(config, parameters, batch)
        optimiser.apply([parameters[name].grad for name in variables], list(variables.values()))
        with torch.no_grad():
            for name, variable in variables.items():
                parameters[name].copy_(variable.value)
    return parameters
