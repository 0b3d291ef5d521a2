"""The texts and word vectors that all peers train on: seeded, standard library only.

TSV with a header, task1 <TAB> task2 <TAB> text; an empty cell is a missing label. The sizes are those of the influenza and
symptoms pair of Joshi et al. 2019, unless other ones are asked for; lengths are normal(16, 7) clipped to 3..40, scaled to
the mean that is asked for; words follow Zipf's law over 20,000 types. Words are plain lower-case letters, so that every tokeniser
leaves them alone.
"""

import bisect
import itertools
import random

ROWS = (2661, 9006)
TEXTS, TOKENS = sum(ROWS), 16
WORDS = 20_000
DIM = 200
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu"]


def word(number):
    return "w" + "".join(SYLLABLES[int(digit)] for digit in str(number))


def write(posts, vectors, texts=TEXTS, tokens=TOKENS, seed=1):
    """Writes both files; `tokens` is the mean length of a text."""
    longer = tokens / TOKENS
    rng = random.Random(seed)
    shares = list(itertools.accumulate(1.0 / (i + 1) for i in range(WORDS)))
    weights = [[rng.gauss(0, 1) for _ in range(WORDS)] for _ in ROWS]  # what a word says about each task
    rows = []
    for task, count in enumerate(ROWS):
        for _ in range(round(count * texts / TEXTS)):
            length = max(3, round(longer * min(40, max(3, rng.gauss(16, 7)))))
            ids = [bisect.bisect_left(shares, rng.random() * shares[-1]) for _ in range(length)]
            score = sum(weights[task][i] for i in ids) / length**0.5 + rng.gauss(0, 0.5)
            labels = ["", ""]
            labels[task] = str(int(score > 0.2))
            rows.append((labels, ids))
    rng.shuffle(rows)
    with open(posts, "w") as file:
        file.write("task1\ttask2\ttext\n")
        for labels, ids in rows:
            file.write("\t".join(labels) + "\t" + " ".join(map(word, ids)) + "\n")
    with open(vectors, "w") as file:
        for i in range(WORDS):
            file.write(word(i) + " " + " ".join("%.5f" % rng.gauss(0, 0.4) for _ in range(DIM)) + "\n")
