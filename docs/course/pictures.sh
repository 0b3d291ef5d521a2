#!/usr/bin/env bash
# Makes the pictures of the course, each by one command: docs/course/pictures.sh, with `mtlcore` on the path. Another folder may follow.
set -euo pipefail
cd "${1:-$(dirname "$0")/pictures}"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# Two small networks of a simulated pair of tasks; `kebe` and the other three are words of it.
mtlcore train --shared bilstm --units 2 --epochs 1 --out "$work/b" > "$work/log"
mtlcore train --shared conv --filters 3 --epochs 3 --out "$work/c" > "$work/log"

mtlcore trace "$work/b" "kebe jeda zabi" --label task_a=1 --task task_a --format svg > tape-of-tensors.svg
mtlcore trace "$work/b" "kebe" --label task_a=1 --task task_a --reference --format svg > lstm-in-small-steps.svg
mtlcore trace "$work/c" "kebe jeda zabi vabe" --label task_a=1 --task task_a --reference --format svg > convolution-in-small-steps.svg
mtlcore trace "$work/b" "kebe jeda zabi" --label task_a=1 --label task_b=0 --task task_a --task task_b --format svg > two-sweeps.svg
mtlcore balance --gradients "-4,1,1;6,1,1" --format svg > where-methods-go.svg

# The same as links, for pages that cannot reach the files.
for picture in *.svg; do
  printf '[%s]: data:image/svg+xml;base64,%s\n' "${picture%.svg}" "$(base64 < "$picture" | tr -d '\n')"
done > links.md
