"""PyTorch. --variant packed: what an expert writes (batches of like lengths, packed sequences, fused Adam); plain: what one
writes first (every text padded to the longest)."""

import os
import random
import time

import common

args = common.arguments()
os.environ["OMP_NUM_THREADS"] = str(args.threads)
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(args.threads)
torch.manual_seed(0)
random.seed(0)
packed = args.variant == "packed"

texts, labels, vectors = common.load(args)
lengths = torch.tensor([len(text) for text in texts])
x = torch.from_numpy(common.padded(texts, int(lengths.max())))
y = torch.from_numpy(labels)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        dim = vectors.shape[1]
        self.embedding = nn.Embedding.from_pretrained(torch.from_numpy(vectors), freeze=True, padding_idx=0)
        if "B" in args.layer:
            self.lstm = nn.LSTM(dim, args.units, batch_first=True, bidirectional=True)
        if "C" in args.layer:
            channels = 2 * args.units if args.layer == "BC" else dim
            self.conv = nn.Conv1d(channels, common.FILTERS, common.WIDTH)
        self.dropout = nn.Dropout(common.DROPOUT)
        self.heads = nn.Linear(2 * args.units if args.layer == "B" else common.FILTERS, y.shape[1])

    def forward(self, x, lengths):
        sequence = self.embedding(x)
        if "B" in args.layer and packed:
            states = pack_padded_sequence(sequence, lengths, batch_first=True, enforce_sorted=False)
            states, (last, _) = self.lstm(states)
            if args.layer == "BC":
                sequence, _ = pad_packed_sequence(states, batch_first=True)
        elif "B" in args.layer:
            sequence, (last, _) = self.lstm(sequence)
        if "C" in args.layer:
            vector = torch.relu(self.conv(sequence.transpose(1, 2))).amax(2)
        else:
            vector = torch.cat([last[0], last[1]], 1)
        return self.heads(self.dropout(vector))


def batches():
    order = torch.randperm(len(texts))
    if not packed:
        for rows in order.split(args.batch):
            yield x[rows], lengths[rows], y[rows]
        return
    all_rows = []
    for pool in order.split(50 * args.batch):  # like lengths together, as far as 50 batches reach
        all_rows += pool[lengths[pool].argsort()].split(args.batch)
    random.shuffle(all_rows)
    for rows in all_rows:
        yield x[rows, : int(lengths[rows].max())], lengths[rows], y[rows]


model = Model().train()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimiser = torch.optim.Adam(trained, lr=common.LEARNING_RATE, fused=packed)
cross_entropy = nn.BCEWithLogitsLoss(reduction="none")
seconds = []
for _ in range(args.epochs):
    begin, total, steps = time.perf_counter(), 0.0, 0
    for rows, of_length, target in batches():
        optimiser.zero_grad(set_to_none=True)
        known = target >= 0
        loss = (cross_entropy(model(rows, of_length), target.clamp(min=0)) * known).sum() / known.sum()
        loss.backward()
        optimiser.step()
        total += loss.detach()
        steps += 1
    loss = float(total) / steps
    seconds.append(time.perf_counter() - begin)
common.report(f"PyTorch {torch.__version__.split('+')[0]}, {args.variant or 'plain'}", seconds, loss)
