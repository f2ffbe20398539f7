#include "pointneuron/intfire1.hpp"

#include <cmath>

namespace triscale::pointneuron {

IntFire1Neurons::IntFire1Neurons(const network::IntFire1Model& model, const NeuronSetup& setup)
    : decay_(std::exp(-setup.dt_ms / model.tau_m_ms)),
      refractory_steps_(refractory_steps(model.t_ref_ms, setup.dt_ms)),
      m_(setup.cells, 0.0),
      refractory_(setup.cells, 0) {}

void IntFire1Neurons::step(std::size_t begin, std::size_t end, const StepInput& input,
                           std::vector<std::uint32_t>& spikes) {
  for (std::size_t i = begin; i < end; ++i) {
    const double arrived = input.arrivals_at_end[i];
    if (refractory_[i] > 0 && --refractory_[i] > 0) continue;
    m_[i] = m_[i] * decay_ + arrived;
    if (!std::isfinite(m_[i])) throw NonFinite{i, "m"};
    if (m_[i] > 1) {
      spikes.push_back(static_cast<std::uint32_t>(i));
      m_[i] = 0;
      refractory_[i] = refractory_steps_;
    }
  }
}

std::span<const double> IntFire1Neurons::variable(std::string_view name) const {
  return name == "m" ? std::span<const double>(m_) : std::span<const double>();
}

}  // namespace triscale::pointneuron
