#include "pointneuron/neuron_model.hpp"

#include <cmath>
#include <utility>

#include "pointneuron/adex.hpp"
#include "pointneuron/gif.hpp"
#include "pointneuron/glif.hpp"
#include "pointneuron/intfire1.hpp"
#include "pointneuron/izhikevich.hpp"
#include "pointneuron/lif.hpp"

namespace triscale::pointneuron {

namespace {

// The list of models: the class that integrates each, and how it is made.

template <class Model>
struct Integrated;
template <>
struct Integrated<network::GifModel> {
  using By = GifNeurons;
};
template <>
struct Integrated<network::AdExModel> {
  using By = AdExNeurons;
};
template <>
struct Integrated<network::IntFire1Model> {
  using By = IntFire1Neurons;
};
template <>
struct Integrated<network::LifModel> {
  using By = LifNeurons;
};
template <>
struct Integrated<network::GlifModel> {
  using By = GlifNeurons;
};
template <>
struct Integrated<network::IzhikevichModel> {
  using By = IzhikevichNeurons;
};

template <class Model>
using NeuronsOf = typename Integrated<Model>::By;

/// The leaky cell as the generalised one that takes conductances.
network::GifModel as_gif(const network::LifModel& lif) {
  network::GifModel gif;
  gif.C_m_nF = lif.C_m_nF;
  gif.g_L_uS = lif.g_L_uS;
  gif.E_L_mV = lif.E_L_mV;
  gif.V_reset_mV = lif.V_reset_mV;
  gif.t_ref_ms = lif.t_ref_ms;
  gif.V_threshold_mV = lif.V_threshold_mV;
  return gif;
}

}  // namespace

void Arrivals::add_doubles(std::size_t begin, std::size_t end, std::size_t range_begin, double* events) const {
  const std::size_t n = end - begin;
  for (std::size_t i = 0; wide != nullptr && i < n; ++i) {
    std::int64_t& sum = wide[begin - range_begin + i];
    events[i] += static_cast<double>(sum) * wide_unit;
    sum = 0;
  }
  for (std::size_t i = 0; doubles != nullptr && i < n; ++i) {
    events[i] += doubles[begin + i];
    doubles[begin + i] = 0;
  }
  for (const DriveCounts& drive : drives) {
    const std::uint16_t* counts = drive.counts + (begin - range_begin);
    for (std::size_t i = 0; i < n; ++i) events[i] += drive.weight * counts[i];
  }
}

bool is_plain_lif(const network::PointModel& model, bool has_conductances) {
  return std::holds_alternative<network::LifModel>(model) && !has_conductances;
}

std::unique_ptr<NeuronModel> make_neurons(const network::PointModel& model, const NeuronSetup& setup) {
  if (const auto* lif = std::get_if<network::LifModel>(&model); lif && setup.has_conductances) {
    return std::make_unique<GifNeurons>(as_gif(*lif), setup);
  }
  return std::visit(
      [&](const auto& m) -> std::unique_ptr<NeuronModel> {
        return std::make_unique<NeuronsOf<std::decay_t<decltype(m)>>>(m, setup);
      },
      model);
}

std::span<const std::string_view> recordable(const network::PointModel& model) {
  return std::visit(
      [](const auto& m) -> std::span<const std::string_view> {
        return NeuronsOf<std::decay_t<decltype(m)>>::kVariables;
      },
      model);
}

std::int32_t refractory_steps(double t_ref_ms, double dt_ms) {
  return static_cast<std::int32_t>(std::lround(t_ref_ms / dt_ms));
}

}  // namespace triscale::pointneuron
