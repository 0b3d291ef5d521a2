"""Keras 3, functional model and `fit`, every text padded to the longest. --variant names the backend: tensorflow, jax, torch."""

import os
import time

import common

args = common.arguments()
backend = os.environ["KERAS_BACKEND"] = args.variant or "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["OMP_NUM_THREADS"] = str(args.threads)
if backend == "jax" and args.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
if backend == "tensorflow":
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(args.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(args.threads)
elif backend == "torch":
    import torch

    torch.set_num_threads(args.threads)
import keras
from keras import layers, ops

keras.utils.set_random_seed(0)
texts, labels, vectors = common.load(args)
length = max(map(len, texts))
x = common.padded(texts, length).astype("int32")
targets = [labels[:, task : task + 1] for task in range(labels.shape[1])]


def masked_cross_entropy(y, p):
    known = ops.cast(y >= 0, "float32")
    p, y = ops.clip(p, 1e-7, 1 - 1e-7), ops.maximum(y, 0.0)
    return -known * (y * ops.log(p) + (1 - y) * ops.log(1 - p))


tokens = keras.Input((length,), dtype="int32")
h = layers.Embedding(len(vectors), vectors.shape[1], weights=[vectors], trainable=False)(tokens)
if "B" in args.layer:
    h = layers.Bidirectional(layers.LSTM(args.units, return_sequences=args.layer == "BC"))(h)
if "C" in args.layer:
    h = layers.GlobalMaxPooling1D()(layers.Conv1D(common.FILTERS, common.WIDTH, activation="relu")(h))
h = layers.Dropout(common.DROPOUT)(h)
heads = [layers.Dense(1, activation="sigmoid", name=f"task{task + 1}")(h) for task in range(len(targets))]
model = keras.Model(tokens, heads)
model.compile(optimizer=keras.optimizers.Adam(common.LEARNING_RATE), loss=[masked_cross_entropy] * len(heads))


class Clock(keras.callbacks.Callback):
    seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.begin)


history = model.fit(x, targets, batch_size=args.batch, epochs=args.epochs, verbose=0, callbacks=[Clock()])
common.report(f"Keras {keras.__version__} on {backend}", Clock.seconds, history.history["loss"][-1])
