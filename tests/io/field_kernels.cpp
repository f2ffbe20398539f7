// field_kernels.h5: kernels come back to the last bit, and kernels of other electrodes are refused.
#include "io/field_kernels.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace triscale::io {
namespace {

network::Circuit probed_circuit() {
  network::Circuit circuit;
  network::Population cells, sources;
  cells.name = "cells/1";
  cells.size = 2;
  sources.name = "sources";
  sources.size = 50;
  sources.is_virtual = true;
  circuit.populations = {cells, sources};
  network::FieldProbe probe;
  probe.name = "lfp";
  network::ExtracellularPotential potential;
  potential.electrodes = {{7, {1, 2, 3}, 0, {0, 0, 1}}, {8, {4, 5, 6}, 0, {0, 0, 1}}};
  probe.signal = potential;
  circuit.field_probes = {probe};
  return circuit;
}

network::CircuitKernels some_kernels() {
  network::FieldKernels probe{"lfp", 2, 0.1, -2, 3, {}, {0.1, 0.2}};
  probe.sources = {{0, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5f}, true},
                   {1, {-1, -2, -3, -4, -5, 1e-7f}, false, {0.3, 1e-9}}};
  return {42, 1, {probe}};
}

TEST(FieldKernelsFile, ComesBackToTheLastBit) {
  const network::Circuit circuit = probed_circuit();
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "triscale_kernels.h5";
  write_field_kernels(path, circuit, some_kernels());
  core::Diagnostics diagnostics;
  const network::CircuitKernels read = read_field_kernels(path, circuit, diagnostics);
  EXPECT_TRUE(diagnostics.ok());
  ASSERT_EQ(read.probes.size(), 1u);
  const network::FieldKernels expected = some_kernels().probes[0];
  EXPECT_EQ(read.edge_hash, 42u);
  EXPECT_EQ(read.probes[0].first, -2);
  EXPECT_EQ(read.probes[0].samples, 3u);
  EXPECT_EQ(read.probes[0].unexplained_variance, expected.unexplained_variance);
  for (std::size_t s = 0; s < 2; ++s) {
    EXPECT_EQ(read.probes[0].sources[s].values, expected.sources[s].values);
    EXPECT_EQ(read.probes[0].sources[s].per_cell, expected.sources[s].per_cell);
    EXPECT_EQ(read.probes[0].sources[s].spread, expected.sources[s].spread);
  }
}

TEST(FieldKernelsFile, KernelsOfOtherElectrodesAreAnError) {
  network::Circuit circuit = probed_circuit();
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "triscale_kernels_moved.h5";
  write_field_kernels(path, circuit, some_kernels());
  std::get<network::ExtracellularPotential>(circuit.field_probes[0].signal).electrodes[1].position_um[2] += 1;
  core::Diagnostics moved;
  read_field_kernels(path, circuit, moved);
  EXPECT_FALSE(moved.ok());
  circuit = probed_circuit();
  circuit.populations[1].name = "renamed";
  core::Diagnostics renamed;
  read_field_kernels(path, circuit, renamed);
  EXPECT_FALSE(renamed.ok());
}

}  // namespace
}  // namespace triscale::io
