#include "bridges/forward_models.hpp"

#include "measure/extracellular.hpp"

namespace triscale::bridges {

namespace {

std::unique_ptr<core::ForwardModel> model_of(const network::ExtracellularPotential& potential) {
  using Source = network::ExtracellularPotential::Source;
  const measure::SourceModel sources = potential.source == Source::point  ? measure::SourceModel::point
                                       : potential.source == Source::line ? measure::SourceModel::line
                                                                          : measure::SourceModel::soma_point;
  std::vector<std::vector<core::Vec3>> contacts;
  for (const network::Electrode& electrode : potential.electrodes) {
    contacts.push_back(
        measure::points_on_disc(electrode.position_um, electrode.normal, electrode.radius_um, potential.disc_points));
  }
  return std::make_unique<measure::ExtracellularModel>(std::move(contacts), sources,
                                                       measure::Medium(potential.conductivity_S_m));
}

}  // namespace

std::unique_ptr<core::ForwardModel> forward_model(const network::FieldProbe& probe) {
  return std::visit([](const auto& signal) { return model_of(signal); }, probe.signal);
}

ForwardModels forward_models(const network::Circuit& circuit) {
  ForwardModels models;
  for (const network::FieldProbe& probe : circuit.field_probes) models.push_back(forward_model(probe));
  return models;
}

}  // namespace triscale::bridges
