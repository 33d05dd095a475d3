#!/usr/bin/env bash
# The kernels for ARM, compiled here and run by an emulator: make test-arm. Debian and Ubuntu; nothing is installed, all is put into
# build/arm: Python and the C library for ARM from the distribution's packages, numpy's wheel, our modules, and the command
# build/arm/python, which runs them.
#
#   tests/engines/arm.sh [PYTHON]    PYTHON has numpy and nanobind: .venv/bin/python
#
# PAIRS: random networks and faults. FLAGS: more of the compiler's, as -march=armv8.2-a+dotprod. QEMU_CPU: the processor, without
# FLAGS the oldest one, Cortex-A53.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$(realpath --no-symlinks "${1:-.venv/bin/python}")
arm=$PWD/build/arm
root=$arm/root
for command in aarch64-linux-gnu-g++ qemu-aarch64 apt-get dpkg cmake; do
  command -v "$command" >/dev/null || {
    echo "$0: no $command here: apt-get install g++-aarch64-linux-gnu qemu-user cmake, on Debian or Ubuntu" >&2
    exit 2
  }
done

# Packages of a foreign processor, by lists of our own: those of this machine stay as they are.
if [ ! -e "$root/stamp" ]; then
  echo "fetching Python for ARM"
  rm -rf "$arm/apt" "$root"
  mkdir -p "$arm/apt/lists/partial" "$arm/apt/archives/partial" "$root"
  : >"$arm/apt/status"
  packages() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$arm/apt" -o Dir::State::lists="$arm/apt/lists" \
      -o Dir::State::status="$arm/apt/status" -o Dir::Cache="$arm/apt" -o Dir::Cache::archives="$arm/apt/archives" -o Debug::NoLocking=1 "$@"
  }
  packages update
  packages --yes --no-install-recommends --download-only install python3-minimal libpython3-stdlib libpython3-dev libstdc++6 >/dev/null
  for package in "$arm"/apt/archives/*.deb; do dpkg --extract "$package" "$root"; done
  touch "$root/stamp"
fi
version=$(basename "$root"/usr/include/python3.*)  # as python3.11
version=${version#python}
suffix=cpython-${version/./}-aarch64-linux-gnu

if [ ! -e "$arm/site/stamp" ]; then
  echo "fetching numpy for ARM"
  rm -rf "$arm/site"
  "$python" -m pip --disable-pip-version-check install --quiet --constraint constraints.txt --target "$arm/site" --only-binary=:all: \
    --python-version "$version" --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 numpy
  touch "$arm/site/stamp"
fi

cat >"$arm/python" <<END
#!/bin/sh
export PYTHONSAFEPATH=1 PYTHONPATH="$arm/package:$arm/site:$PWD" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec qemu-aarch64 -L "$root" "$root/usr/bin/python$version" "\$@"
END
chmod +x "$arm/python"

echo "compiling the kernels for ARM"
cmake -S . -B "$arm/objects" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
  -DCMAKE_CXX_FLAGS="-isystem $root/usr/include ${FLAGS:-}" -DSKBUILD_SOABI="$suffix" -DPython_EXECUTABLE="$python" \
  -DPython_INCLUDE_DIR="$root/usr/include/python$version" >"$arm/log" || { cat "$arm/log"; exit 1; }
cmake --build "$arm/objects" --parallel "${JOBS:-2}" >"$arm/log" 2>&1 || { cat "$arm/log"; exit 1; }
! grep "warning:" "$arm/log"
rm -rf "$arm/package"
cmake --install "$arm/objects" --prefix "$arm/package" >"$arm/log"
cp -r fat_fpga "$arm/package"  # beside the modules

"$python" -m tests.engines.emulated_cases "$arm/cases.pickle" --pairs "${PAIRS:-2000}"
[ -n "${FLAGS:-}" ] || export QEMU_CPU="${QEMU_CPU:-cortex-a53}"
"$arm/python" -m tests.engines.emulated "$arm/cases.pickle" neon portable
