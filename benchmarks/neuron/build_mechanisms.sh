#!/bin/sh
# Builds the channels in mod/ into one shared library that NEURON loads with h.nrn_load_dll(...).
#
#   build_mechanisms.sh OUTPUT_DIR        writes OUTPUT_DIR/libtriscale_mech.so
#
# Debian's nrnivmodl looks for files that the package does not ship, so this calls the translator and the
# compiler itself. Needs the packages neuron and neuron-dev.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 OUTPUT_DIR" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
nrn_lib=${NRN_LIB_DIR:-/usr/lib/nrn}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$here"/mod/*.mod "$work"
cd "$work"
names=$(LC_ALL=C ls -- *.mod | sed 's/\.mod$//')
for name in $names; do
    if ! nocmodl "$name.mod" > log.txt 2>&1; then
        cat log.txt >&2
        exit 1
    fi
    gcc -O2 -fPIC -w -c "$name.c"
done
{
    for name in $names; do echo "extern void _${name}_reg(void);"; done
    echo "void modl_reg(void) {"
    for name in $names; do echo "    _${name}_reg();"; done
    echo "}"
} > mod_func.c
gcc -O2 -fPIC -c mod_func.c
gcc -shared -o "$out/libtriscale_mech.so" ./*.o "$nrn_lib/libnrniv.so" -Wl,-rpath,"$nrn_lib"
echo "$out/libtriscale_mech.so"
