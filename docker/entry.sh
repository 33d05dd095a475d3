#!/usr/bin/env bash
# Inside the image: Vivado's and Vitis HLS's settings, then fat-fpga with the arguments.
set -euo pipefail
for tool in Vivado Vitis_HLS; do
    for settings in /tools/Xilinx/$tool/*/settings64.sh /tools/Xilinx/*/$tool/settings64.sh; do
        [ -f "$settings" ] || continue
        set +u
        # shellcheck disable=SC1090
        source "$settings"
        set -u
    done
done
exec /opt/finn/bin/fat-fpga "$@"
