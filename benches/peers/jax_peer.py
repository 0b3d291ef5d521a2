"""JAX by hand: a step under jit, one input projection and one scan for both directions, batches of like lengths padded to a
multiple of a quarter of the mean length (so that few shapes are compiled), Adam written out."""

import os
import random
import time

import common

args = common.arguments()
if args.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import jax.numpy as jnp
import numpy as np

H, B, LAYER = args.units, args.batch, args.layer
texts, labels, vectors = common.load(args)
lengths = np.array([len(text) for text in texts], np.int32)
BUCKET = max(4, round(lengths.mean() / 4))
rows = common.padded(texts, -(-lengths.max() // BUCKET) * BUCKET).astype(np.int32)
vectors = jnp.asarray(vectors)
rng = np.random.default_rng(0)


def uniform(*shape):
    return jnp.asarray(rng.uniform(-1, 1, shape) / np.sqrt(shape[-2]), jnp.float32)


dim, tasks = vectors.shape[1], labels.shape[1]
params = {"heads": uniform(2 * H if LAYER == "B" else common.FILTERS, tasks), "heads_bias": jnp.zeros(tasks)}
if "B" in LAYER:
    params |= {"kernel": uniform(dim, 8 * H), "bias": jnp.zeros(8 * H), "recurrent": uniform(2, H, 4 * H)}
if "C" in LAYER:
    channels = 2 * H if LAYER == "BC" else dim
    params |= {"filters": uniform(common.WIDTH * channels, common.FILTERS), "filters_bias": jnp.zeros(common.FILTERS)}


def loss_of(p, vectors, x, length, y, key):
    batch, steps = x.shape
    sequence = vectors[x]
    at = jnp.arange(steps)[None, :]
    live = at < length[:, None]
    if "B" in LAYER:
        reversed_at = jnp.where(live, length[:, None] - 1 - at, at)
        gates = (sequence.reshape(batch * steps, -1) @ p["kernel"] + p["bias"]).reshape(batch, steps, 2, 4 * H)
        gates = jnp.stack([gates[:, :, 0], jnp.take_along_axis(gates[:, :, 1], reversed_at[:, :, None], 1)])

        def step(state, now):
            (h, c), (gates, live) = state, now
            i, f, o, g = jnp.split(gates + jnp.einsum("dbh,dhk->dbk", h, p["recurrent"]), 4, -1)
            next_c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            next_h = jax.nn.sigmoid(o) * jnp.tanh(next_c)
            live = live[None, :, None]
            h, c = jnp.where(live, next_h, h), jnp.where(live, next_c, c)
            return (h, c), h

        zeros = jnp.zeros((2, batch, H))
        (h, _), states = jax.lax.scan(step, (zeros, zeros), (gates.transpose(2, 0, 1, 3), live.T))
        vector = jnp.concatenate([h[0], h[1]], -1)
        if LAYER == "BC":
            states = states.transpose(1, 2, 0, 3)
            backward = jnp.take_along_axis(states[1], reversed_at[:, :, None], 1)
            sequence = jnp.concatenate([states[0], backward], -1)
    if "C" in LAYER:
        windows = jnp.concatenate([sequence[:, :-2], sequence[:, 1:-1], sequence[:, 2:]], -1)
        values = jax.nn.relu(windows @ p["filters"] + p["filters_bias"])
        vector = jnp.where(live[:, 2:, None], values, 0).max(1)
    keep = 1 - common.DROPOUT
    vector = vector * jax.random.bernoulli(key, keep, vector.shape) / keep
    logits = vector @ p["heads"] + p["heads_bias"]
    known, y = y >= 0, jnp.maximum(y, 0)
    losses = jnp.maximum(logits, 0) - logits * y + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return (known * losses).sum() / jnp.maximum(known.sum(), 1)


def train(state, vectors, x, length, y):
    p, m, v, count, key = state
    key, dropout = jax.random.split(key)
    loss, g = jax.value_and_grad(loss_of)(p, vectors, x, length, y, dropout)
    count += 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)

    def update(p, m, v):
        m, v = m / (1 - 0.9**count), v / (1 - 0.999**count)
        return p - common.LEARNING_RATE * m / (jnp.sqrt(v) + 1e-7)

    return (jax.tree.map(update, p, m, v), m, v, count, key), loss


train = jax.jit(train, donate_argnums=0)


def zeros():
    return jax.tree.map(jnp.zeros_like, params)


def batches(epoch):
    order, all_rows = rng.permutation(len(texts)), []
    for i in range(0, len(texts), 50 * B):
        pool = order[i : i + 50 * B]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        all_rows += [pool[j : j + B] for j in range(0, len(pool), B)]
    random.Random(epoch).shuffle(all_rows)
    for chosen in all_rows:
        longest = -(-int(lengths[chosen].max()) // BUCKET) * BUCKET
        x, length, y = rows[chosen, :longest], lengths[chosen], labels[chosen]
        missing = B - len(chosen)
        if missing:  # one shape less to compile
            x, y = np.pad(x, ((0, missing), (0, 0))), np.pad(y, ((0, missing), (0, 0)), constant_values=-1)
            length = np.pad(length, (0, missing), constant_values=common.WIDTH)
        yield x, length, y


state, seconds = (params, zeros(), zeros(), jnp.float32(0), jax.random.PRNGKey(0)), []
for epoch in range(args.epochs):
    begin, losses = time.perf_counter(), []
    for x, length, y in batches(epoch):
        state, loss = train(state, vectors, x, length, y)
        losses.append(loss)
    loss = float(np.mean([float(loss) for loss in losses]))
    seconds.append(time.perf_counter() - begin)
common.report(f"JAX {jax.__version__}, one scan, bucketed", seconds, loss)
