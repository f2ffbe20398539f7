#include "pointneuron/neuron_model.hpp"

#include <array>
#include <cmath>

#include "pointneuron/adex.hpp"
#include "pointneuron/gif.hpp"
#include "pointneuron/intfire1.hpp"

namespace triscale::pointneuron {

namespace {
constexpr std::array<std::string_view, 3> kGifVariables{"v", "threshold", "i_eta"};
constexpr std::array<std::string_view, 2> kAdExVariables{"v", "w"};
constexpr std::array<std::string_view, 1> kIntFire1Variables{"m"};
}  // namespace

std::unique_ptr<NeuronModel> make_neurons(const network::PointModel& model, std::size_t cells, double dt_ms,
                                          RandomAddress random) {
  if (const auto* gif = std::get_if<network::GifModel>(&model)) {
    return std::make_unique<GifNeurons>(*gif, cells, dt_ms, random);
  }
  if (const auto* adex = std::get_if<network::AdExModel>(&model)) {
    return std::make_unique<AdExNeurons>(*adex, cells, dt_ms);
  }
  return std::make_unique<IntFire1Neurons>(std::get<network::IntFire1Model>(model), cells, dt_ms);
}

std::span<const std::string_view> recordable(const network::PointModel& model) {
  if (std::holds_alternative<network::GifModel>(model)) return kGifVariables;
  if (std::holds_alternative<network::AdExModel>(model)) return kAdExVariables;
  return kIntFire1Variables;
}

std::int32_t refractory_steps(double t_ref_ms, double dt_ms) {
  return static_cast<std::int32_t>(std::lround(t_ref_ms / dt_ms));
}

}  // namespace triscale::pointneuron
