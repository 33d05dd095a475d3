#!/usr/bin/env bash
# A bitstream in a container:
#
#   make docker-build MODEL=cnv.onnx BOARD=ZCU104 XILINX=/tools/Xilinx [PLAN=plan.json] [FOLDING=stock] [INJECT=stream]
#                     [OUTPUT=build] [UNTIL=board]
#
# MODEL is a file or the name of a bundled network; XILINX is the folder that holds Vivado and Vitis_HLS; it is mounted
# read-only. OUTPUT is made, or a build in it continued.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

refuse() {
    echo "docker-build: $1" >&2
    exit 2
}

[ -n "${MODEL:-}" ] || refuse "set MODEL to an .onnx file or the name of a bundled network"
[ -n "${BOARD:-}" ] || refuse "set BOARD to ZCU104, Pynq-Z1 or Ultra96"
XILINX=${XILINX:-/tools/Xilinx}
compgen -G "$XILINX/Vivado/*/settings64.sh" >/dev/null || compgen -G "$XILINX/*/Vivado/settings64.sh" >/dev/null ||
    refuse "no Vivado in $XILINX: set XILINX to the folder that holds Vivado and Vitis_HLS"
command -v docker >/dev/null || refuse "no docker on the PATH"

output=$(mkdir -p "${OUTPUT:-build-$BOARD}" && cd "${OUTPUT:-build-$BOARD}" && pwd)
mounts=(--volume "$XILINX:/tools/Xilinx:ro" --volume "$output:/build")
model=$MODEL
if [ -f "$MODEL" ]; then
    mounts+=(--volume "$(realpath "$MODEL"):/model.onnx:ro")
    model=/model.onnx
fi
arguments=(finn build "$model" --board "$BOARD" --output /build --until "${UNTIL:-board}")
if [ -n "${PLAN:-}" ]; then
    [ -f "$PLAN" ] || refuse "no file $PLAN"
    mounts+=(--volume "$(realpath "$PLAN"):/plan.json:ro")
    arguments+=(--plan /plan.json --folding "${FOLDING:-plan}")
else
    arguments+=(--folding "${FOLDING:-stock}")
fi
[ -z "${INJECT:-}" ] || arguments+=(--inject "$INJECT")

docker build --tag fat_fpga-finn --file "$here/Dockerfile" "$here/.."
docker run --rm --user "$(id -u):$(id -g)" --env HOME=/tmp "${mounts[@]}" fat_fpga-finn "${arguments[@]}"
