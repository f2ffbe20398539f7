#include "pointneuron/neuron_model.hpp"

#include <array>
#include <cmath>

#include "pointneuron/adex.hpp"
#include "pointneuron/gif.hpp"
#include "pointneuron/intfire1.hpp"
#include "pointneuron/lif.hpp"

namespace triscale::pointneuron {

namespace {
constexpr std::array<std::string_view, 3> kGifVariables{"v", "threshold", "i_eta"};
constexpr std::array<std::string_view, 2> kAdExVariables{"v", "w"};
constexpr std::array<std::string_view, 1> kIntFire1Variables{"m"};
constexpr std::array<std::string_view, 1> kLifVariables{"v"};
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

std::unique_ptr<NeuronModel> make_neurons(const network::PointModel& model, const NeuronSetup& setup) {
  if (const auto* gif = std::get_if<network::GifModel>(&model)) {
    return std::make_unique<GifNeurons>(*gif, setup.cells, setup.dt_ms, setup.random);
  }
  if (const auto* adex = std::get_if<network::AdExModel>(&model)) {
    return std::make_unique<AdExNeurons>(*adex, setup.cells, setup.dt_ms);
  }
  if (const auto* lif = std::get_if<network::LifModel>(&model)) {
    return std::make_unique<LifNeurons>(*lif, setup.currents, setup.cells, setup.dt_ms, setup.parts, setup.isa);
  }
  return std::make_unique<IntFire1Neurons>(std::get<network::IntFire1Model>(model), setup.cells, setup.dt_ms);
}

std::span<const std::string_view> recordable(const network::PointModel& model) {
  if (std::holds_alternative<network::GifModel>(model)) return kGifVariables;
  if (std::holds_alternative<network::AdExModel>(model)) return kAdExVariables;
  if (std::holds_alternative<network::LifModel>(model)) return kLifVariables;
  return kIntFire1Variables;
}

std::int32_t refractory_steps(double t_ref_ms, double dt_ms) {
  return static_cast<std::int32_t>(std::lround(t_ref_ms / dt_ms));
}

}  // namespace triscale::pointneuron
