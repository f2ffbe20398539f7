# shellcheck shell=bash
# Shared by the scripts beside it; sourced, not run.

# Where the project is, whatever folder the script was called from.
triscale_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# The report needs a Python with h5py and matplotlib. Debian's packages belong to /usr/bin/python3; another python3 that
# comes first on PATH often lacks them.
choose_python() {
  local candidate
  for candidate in ${TRISCALE_PYTHON:+"$TRISCALE_PYTHON"} /usr/bin/python3 python3; do
    if "$candidate" -c 'import h5py, matplotlib' >/dev/null 2>&1; then
      export TRISCALE_PYTHON="$candidate"
      return 0
    fi
  done
  say "warning: no python3 with h5py and matplotlib found; pages and the tests that use Python will be left out"
}

# Configures a preset and builds the given targets (all of them without a target).
build_preset() {
  local preset=$1
  shift
  local targets=()
  (($# == 0)) || targets=(--target "$@")
  cd "$triscale_root" || return
  cmake --preset "$preset" >&2
  # Some sources need about 1 GB to compile: no more jobs at once than the memory allows.
  local cores memory_gb jobs
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  jobs=$((memory_gb < cores ? (memory_gb > 0 ? memory_gb : 1) : cores))
  cmake --build --preset "$preset" --parallel "$jobs" "${targets[@]}" >&2
}
