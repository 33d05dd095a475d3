#!/usr/bin/env bash
# Makes a virtual environment with FINN (finn-plus) and fat_fpga in it.
#
#   docker/install-finn.sh VENV [WHEEL]
#
# WHEEL is fat_fpga as it lies here, where it has been built before; without it the C++ kernels are compiled.
#
# finn-plus itself is installed without its dependencies: its own pins (brevitas 0.13.0, which wants setuptools below 70)
# and torch 2.13.0 (setuptools 77 and newer) have no common solution. finn-requirements.txt lists what it imports.
# Its driver package, which only tests use, asks for numpy below 2 and runs with 2. Torch comes first, so that nothing later
# chooses another build of it. Python 3.11 or newer; about 2.3 GB.
set -euo pipefail

if [ $# -ne 1 ] && [ $# -ne 2 ]; then
    echo "usage: $0 VENV [WHEEL]" >&2
    exit 2
fi
venv=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$0: FINN needs Python 3.11 or newer; set PYTHON to one" >&2
    exit 2
}

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip --disable-pip-version-check install --quiet)

"${pip[@]}" --constraint "$root/constraints.txt" torch
"${pip[@]}" --constraint "$root/constraints.txt" --requirement "$here/finn-requirements.txt"
"${pip[@]}" --no-deps finn-plus==1.6.1 finn-plus-driver==1.6.1
package=(--config-settings=build-dir="$root/build/finn-kernels" --editable "$root")
if [ $# -eq 2 ]; then
    "${pip[@]}" --no-deps --force-reinstall "$2"
    package=(fat_fpga)
fi
# fat_fpga needs little that is not there by now. The last line proves that FINN imports.
"${pip[@]}" --constraint "$root/constraints.txt" "${package[@]}" 'pytest>=8' 'pytest-xdist>=3.6' 'hypothesis>=6.100'
"$venv/bin/python" -c 'from fat_fpga.finn.operators import register; register()'
echo "FINN is in $venv: $venv/bin/fat-fpga finn --help"
