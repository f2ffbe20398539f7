/// Normalised integrate-and-fire neuron with instantaneous synapses: NEURON's IntFire1 (Carnevale & Hines 2006, The
/// NEURON Book, ch. 10.1).
///
///     dm/dt = -m / tau_m;    an event adds its signed weight to m;    m > 1:  spike, m = 0 for t_ref
///
/// Events that arrive during t_ref do not count; one that arrives at its very end does. m starts at 0. The threshold is
/// strict, as in NEURON: a single event of weight 1 does not fire a resting cell.
///
/// | parameter | default | unit | symbol |                            |
/// |-----------|---------|------|--------|----------------------------|
/// | tau_m_ms  | 10      | ms   | tau_m  | membrane time constant     |
/// | t_ref_ms  | 0       | ms   | t_ref  | absolute refractory time   |
///
/// Integration: exact on the grid. NEURON delivers events that arrive at the same time one after the other; here they
/// are summed first, so that the result does not depend on an order that has no meaning. A spike is at the event's
/// time.
///
/// Recordable: m.
#pragma once

#include <array>

#include "pointneuron/neuron_model.hpp"

namespace triscale::pointneuron {

class IntFire1Neurons : public NeuronModel {
 public:
  static constexpr std::array<std::string_view, 1> kVariables{"m"};

  IntFire1Neurons(const network::IntFire1Model& model, const NeuronSetup& setup);

  void step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) override;
  std::span<const double> variable(std::string_view name) const override;
  void set_potential(std::span<const double> /*V_mV*/) override {}  ///< it has none; missing() says so

 private:
  double decay_;
  std::int32_t refractory_steps_;
  std::vector<double> m_;
  std::vector<std::int32_t> refractory_;  ///< steps left
};

}  // namespace triscale::pointneuron
