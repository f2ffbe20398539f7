#include "meanfield/population_density.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace triscale::meanfield {

namespace {

using Triplets = std::vector<Eigen::Triplet<double>>;

/// x / (1 - e^(-x))
double bernoulli(double x) {
  return std::abs(x) < 1e-8 ? 1 + x / 2 : -x / std::expm1(-x);
}

/// Rates at which mass crosses a face upwards and downwards, per ms, for volumes whose centres are `distance` apart.
struct Crossing {
  double up, down;
};
Crossing crossing(double drift, double D, double distance, double width) {
  if (!(D > 0)) return {std::max(drift, 0.0) / width, std::max(-drift, 0.0) / width};
  const double a = drift * distance / D;
  return {D / (distance * width) * bernoulli(a), D / (distance * width) * bernoulli(-a)};
}

using Factors = Eigen::SparseLU<Eigen::SparseMatrix<double>>;

std::shared_ptr<Factors> factorised(const Eigen::SparseMatrix<double>& matrix) {
  auto factors = std::make_shared<Factors>(matrix);
  if (factors->info() != Eigen::Success) {
    throw core::NumericalError("mean-field tier: population density: singular system");
  }
  return factors;
}

}  // namespace

PopulationDensity::PopulationDensity(const LifCell& cell, const DensityGrid& grid)
    : cell_(cell), width_mV_(grid.width_mV) {
  core::Diagnostics problems;
  const bool fits = grid.width_mV > 0 && cell.V_reset_mV < cell.V_threshold_mV && grid.lowest_mV < cell.V_reset_mV &&
                    cell.tau_m_ms > 0 && cell.t_ref_ms >= 0;
  if (!fits) {
    problems.error({"", "grid", fmt::format("width {} mV, lowest {} mV", grid.width_mV, grid.lowest_mV),
                    "must have width > 0 and lowest < reset < threshold", ""});
  }
  problems.throw_if_errors();
  const double above = std::ceil((cell.V_threshold_mV - cell.V_reset_mV) / grid.width_mV - 1e-9);
  width_mV_ = (cell.V_threshold_mV - cell.V_reset_mV) / above;
  const double below = std::ceil((cell.V_reset_mV - grid.lowest_mV) / width_mV_ - 1e-9);
  lowest_mV_ = cell.V_reset_mV - below * width_mV_;
  const auto n = static_cast<Eigen::Index>(above + below);
  // The reset potential is a face: half of the mass to each side.
  reset_ = Eigen::VectorXd::Zero(n);
  reset_[static_cast<Eigen::Index>(below) - 1] = reset_[static_cast<Eigen::Index>(below)] = 0.5;
  mass_ = reset_;
}

void PopulationDensity::add_drift(const LifInput& input, Triplets& entries) {
  const Eigen::Index n = mass_.size();
  const double D = input.sigma_mV * input.sigma_mV / (2 * cell_.tau_m_ms);
  const double shift_mV = input.sigma_mV > 0 ? siegert_bounds(cell_, input).shift * input.sigma_mV : 0;
  for (Eigen::Index k = 0; k < n; ++k) {
    const double face_mV = lowest_mV_ + static_cast<double>(k + 1) * width_mV_ + shift_mV;
    const double drift = (input.mu_mV - face_mV) / cell_.tau_m_ms;
    if (k + 1 == n) {
      // The density vanishes at the threshold, half a width away.
      const double up = crossing(drift, D, width_mV_ / 2, width_mV_).up;
      escape_[k] += up;
      entries.emplace_back(k, k, -up);
      continue;
    }
    const Crossing c = crossing(drift, D, width_mV_, width_mV_);
    entries.emplace_back(k, k, -c.up);
    entries.emplace_back(k + 1, k, c.up);
    entries.emplace_back(k + 1, k + 1, -c.down);
    entries.emplace_back(k, k + 1, c.down);
  }
}

void PopulationDensity::add_jumps(const JumpInput& jump, Triplets& entries) {
  const Eigen::Index n = mass_.size();
  const double rate = jump.rate_hz / 1000, steps = jump.size_mV / width_mV_;
  const double whole = std::floor(steps + 1e-9);
  const double part = std::max(0.0, steps - whole);
  const auto move = [&](Eigen::Index from, double to, double share) {
    if (!(share > 0)) return;
    const double amount = rate * share;
    if (to >= static_cast<double>(n)) {
      escape_[from] += amount;
    } else {
      entries.emplace_back(static_cast<Eigen::Index>(std::max(0.0, to)), from, amount);
    }
    entries.emplace_back(from, from, -amount);
  };
  for (Eigen::Index k = 0; k < n; ++k) {
    move(k, static_cast<double>(k) + whole, 1 - part);
    move(k, static_cast<double>(k) + whole + 1, part);
  }
}

void PopulationDensity::build(const DensityInput& input) {
  Triplets entries;
  escape_ = Eigen::VectorXd::Zero(mass_.size());
  add_drift(input.white, entries);
  for (const JumpInput& jump : input.jumps) add_jumps(jump, entries);
  generator_.resize(mass_.size(), mass_.size());
  generator_.setFromTriplets(entries.begin(), entries.end());
}

double PopulationDensity::step(const DensityInput& input, double dt_ms) {
  const bool same = factors_ && factored_dt_ms_ == dt_ms && factored_input_.white.mu_mV == input.white.mu_mV &&
                    factored_input_.white.sigma_mV == input.white.sigma_mV && factored_input_.jumps == input.jumps;
  if (!same) {
    build(input);
    Eigen::SparseMatrix<double> matrix(mass_.size(), mass_.size());
    matrix.setIdentity();
    matrix -= dt_ms * generator_;
    factors_ = factorised(matrix);
    factored_input_ = input;
    factored_dt_ms_ = dt_ms;
  }
  const auto steps = static_cast<std::size_t>(std::lround(cell_.t_ref_ms / dt_ms));
  while (refractory_.size() < steps) refractory_.push_front(0);
  if (steps > 0) {
    mass_ += refractory_.front() * reset_;
    refractory_.pop_front();
    mass_ = factors_->solve(mass_);
    refractory_.push_back(dt_ms * escape_.dot(mass_));
    return 1000 * refractory_.back() / dt_ms;
  }
  // Without refractoriness what escapes comes back within the step: a correction of rank one.
  const Eigen::VectorXd free = factors_->solve(mass_), back = factors_->solve(reset_);
  const double escaped = dt_ms * escape_.dot(free) / (1 - dt_ms * escape_.dot(back));
  mass_ = free + escaped * back;
  return 1000 * escaped / dt_ms;
}

double PopulationDensity::settle(const DensityInput& input) {
  build(input);
  factors_.reset();
  mass_ = factorised(generator_)->solve(-reset_);  // mass per rate of reinjection
  const double rate_per_ms = 1 / (mass_.sum() + cell_.t_ref_ms);
  mass_ *= rate_per_ms;
  const double refractory = rate_per_ms * cell_.t_ref_ms;
  if (!refractory_.empty())
    refractory_.assign(refractory_.size(), refractory / static_cast<double>(refractory_.size()));
  if (refractory_.empty() && cell_.t_ref_ms > 0) refractory_.assign(1, refractory);
  return 1000 * rate_per_ms;
}

double PopulationDensity::mass() const {
  return mass_.sum() + std::accumulate(refractory_.begin(), refractory_.end(), 0.0);
}

}  // namespace triscale::meanfield
