#!/usr/bin/env bash
# What waits for a GPU, in one command: are torch:cuda and PyTorch modules there exact, how fast are they, and trainings.
#
#   benchmarks/gpu.sh cifar10:DIR RUNS [SECONDS [LIST]]  on a machine with a CUDA device; SECONDS for the trainings (540),
#                                                        LIST of them: gpu_networks (default) or gpu_tables, the FAT paper's
#   benchmarks/gpu.sh --small                            all steps in a minute on a CPU, to see that they work
#
# A training that was stopped goes on when the command is given again. RUNS holds a checkpoint of each.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
export PYTHONUNBUFFERED=1 CUDA_DEVICE_MAX_CONNECTIONS=32
if [ "${1:-}" = --small ]; then
    runs=$(mktemp -d)
    trap 'rm -rf "$runs"' EXIT
    "$python" -m benchmarks.gpu exact --device cpu --each 1 --images 2 --random 4
    "$python" -m benchmarks.gpu speed --device cpu --each 5 --images 2
    "$python" -m benchmarks.modules --rows 2 --rounds 1
    "$python" -m benchmarks.gpu train benchmarks/gpu_small.txt --device cpu --data demo:cifar10 --images 40 -o "$runs"
    exit
fi
if [ $# -lt 2 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
"$python" -m benchmarks.gpu exact
"$python" -m pytest tests/modules/test_agreement.py -k cuda
"$python" -m benchmarks.gpu speed
"$python" -m benchmarks.modules --device cuda --rows 512
"$python" -m benchmarks.gpu train "benchmarks/${4:-gpu_networks}.txt" --data "$1" --evaluate-every 23 --seconds "${3:-540}" -o "$2"
