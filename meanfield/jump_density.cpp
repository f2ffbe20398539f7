#include "meanfield/jump_density.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::meanfield {

namespace {

constexpr double kMsPerS = 1000;
constexpr int kVolumesPerJump = 20;

using Eigen::Index;

/// What comes from outside as jumps: A2 and A3 are per ms.
JumpInput jumps_from_outside(const LifPopulation& population) {
  const double A2 = population.sigma2_external_mV2 / population.cell.tau_m_ms;
  const double A3 = population.jump3_external_mV3_per_ms;
  if (!(A2 > 0) || A3 == 0) return {};
  return {kMsPerS * A2 * A2 * A2 / (A3 * A3), A3 / A2};
}

DensityInput input_with_jumps(const LifNetwork& network, const Eigen::VectorXd& rates_hz, std::size_t target) {
  const LifPopulation& population = network.populations[target];
  const auto i = static_cast<Index>(target);
  DensityInput out;
  out.white.mu_mV = population.mu_external_mV;
  const JumpInput outside = jumps_from_outside(population);
  if (outside.rate_hz > 0) {
    out.jumps.push_back(outside);
    out.white.mu_mV -= population.cell.tau_m_ms * outside.rate_hz / kMsPerS * outside.size_mV;
  } else {
    out.white.sigma_mV = std::sqrt(population.sigma2_external_mV2);
  }
  for (Index j = 0; j < rates_hz.size(); ++j) {
    const double J = network.psp_mV(i, j), J2 = network.psp2_mV2(i, j), rate_hz = network.in_degree(i, j) * rates_hz[j];
    if (J != 0 && rate_hz > 0) out.jumps.push_back({rate_hz * J * J / J2, J2 / J});
  }
  return out;
}

/// Fine against every jump, whose mass it splits between two volumes, and wide enough for what inhibition does.
DensityGrid grid_for(const DensityInput& with_jumps, const LifInput& total, const LifCell& cell) {
  constexpr double kWidest_mV = 0.1, kNarrowest_mV = 0.0025, kReach = 5;
  DensityGrid grid;
  grid.width_mV = kWidest_mV;
  double largest = 0;
  for (const JumpInput& jump : with_jumps.jumps) {
    grid.width_mV = std::min(grid.width_mV, std::abs(jump.size_mV) / kVolumesPerJump);
    largest = std::max(largest, std::abs(jump.size_mV));
  }
  grid.width_mV = std::max(grid.width_mV, kNarrowest_mV);
  const double sd_mV = total.sigma_mV / std::sqrt(2.0);
  grid.lowest_mV =
      std::min(cell.V_reset_mV, std::min(total.mu_mV, with_jumps.white.mu_mV)) - kReach * sd_mV - kReach * largest - 1;
  return grid;
}

}  // namespace

std::vector<JumpDensity> jump_densities(const LifNetwork& network, const Eigen::VectorXd& rates_hz) {
  const std::vector<LifInput> totals = inputs_at(network, rates_hz);
  std::vector<JumpDensity> out;
  for (std::size_t i = 0; i < network.size(); ++i) {
    LifCell cell = network.populations[i].cell;
    cell.tau_syn_ms = 0;
    JumpDensity& density = out.emplace_back();
    density.rate_hz = density.diffusion_rate_hz = lif_rate(cell, totals[i]).rate_hz;
    if (!(totals[i].sigma_mV > 0)) continue;
    const DensityInput with_jumps = input_with_jumps(network, rates_hz, i);
    const DensityGrid grid = grid_for(with_jumps, totals[i], cell);
    DensityGrid coarse = grid;
    coarse.width_mV *= 2;
    PopulationDensity jumps(cell, grid), diffusion(cell, grid);
    // The error of drift without diffusion is of first order in the width, and is extrapolated away.
    const double rate_hz = jumps.settle(with_jumps), coarse_hz = PopulationDensity(cell, coarse).settle(with_jumps);
    density.rate_hz = std::max(0.0, 2 * rate_hz - coarse_hz);
    density.diffusion_rate_hz = diffusion.settle({totals[i], {}});
    for (const JumpInput& jump : with_jumps.jumps) {
      density.largest_jump_mV = std::max(density.largest_jump_mV, std::abs(jump.size_mV));
    }
    // Equal jumps from one reset make a comb, which unequal ones would fill: averages over the width of a jump.
    const double width_mV = jumps.potential_mV(1) - jumps.potential_mV(0);
    for (Index k = 0; k + kVolumesPerJump <= jumps.density().size(); k += kVolumesPerJump) {
      const double size_mV = kVolumesPerJump * width_mV;
      density.potential_mV.push_back(jumps.potential_mV(static_cast<std::size_t>(k)) + (size_mV - width_mV) / 2);
      density.with_jumps.push_back(jumps.density().segment(k, kVolumesPerJump).sum() / size_mV);
      density.by_diffusion.push_back(diffusion.density().segment(k, kVolumesPerJump).sum() / size_mV);
    }
  }
  return out;
}

}  // namespace triscale::meanfield
