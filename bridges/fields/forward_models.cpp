#include "bridges/fields/forward_models.hpp"

#include "measure/current_source_density.hpp"
#include "measure/dipole.hpp"
#include "measure/extracellular.hpp"
#include "measure/head_model.hpp"
#include "measure/magnetic.hpp"
#include "measure/vectors.hpp"

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

std::unique_ptr<core::ForwardModel> model_of(const network::CurrentSourceDensity& density) {
  std::vector<measure::CsdVolume> volumes;
  for (const network::Volume& volume : density.volumes) {
    const bool cylinder = volume.shape == network::Volume::Shape::cylinder;
    volumes.push_back({volume.low_um, volume.high_um, cylinder ? volume.axis : -1});
  }
  return std::make_unique<measure::CsdModel>(std::move(volumes));
}

std::unique_ptr<core::ForwardModel> model_of(const network::CurrentDipole&) {
  return std::make_unique<measure::DipoleModel>();
}

std::unique_ptr<core::ForwardModel> model_of(const network::Eeg& eeg) {
  using measure::operator-;
  std::shared_ptr<const measure::FourSphereHead> head;
  if (eeg.head) head = std::make_shared<measure::FourSphereHead>(eeg.head->radii_um, eeg.head->conductivities_S_m);
  auto lead_field = [eeg, head](const core::Vec3& dipole_um) {
    std::vector<double> lead;
    for (const network::Electrode& electrode : eeg.electrodes) {
      core::Vec3 row;
      if (head) {
        row = head->lead_field_mV(electrode.position_um - eeg.head->centre_um, dipole_um - eeg.head->centre_um);
      } else {
        for (std::size_t k = 0; k < 3; ++k) {
          core::Vec3 unit{};
          unit[k] = 1;
          row[k] = measure::dipole_potential_mV(unit, electrode.position_um - dipole_um, eeg.conductivity_S_m);
        }
      }
      lead.insert(lead.end(), row.begin(), row.end());
    }
    return lead;
  };
  return std::make_unique<measure::DipoleFieldModel>(eeg.electrodes.size(), lead_field, eeg.dipole_position_um);
}

/// Fields of unit dipoles along x, y and z at a sensor.
std::array<core::Vec3, 3> unit_fields(const network::Meg& meg, const core::Vec3& sensor_um,
                                      const core::Vec3& dipole_um) {
  using measure::operator-;
  std::array<core::Vec3, 3> fields;
  for (std::size_t k = 0; k < 3; ++k) {
    core::Vec3 unit{};
    unit[k] = 1;
    fields[k] = meg.sphere_centre_um ? measure::sphere_field_fT(unit, sensor_um - *meg.sphere_centre_um,
                                                                dipole_um - *meg.sphere_centre_um)
                                     : measure::dipole_field_fT(unit, sensor_um - dipole_um);
  }
  return fields;
}

std::unique_ptr<core::ForwardModel> model_of(const network::Meg& meg) {
  std::size_t channels = 0;
  for (const network::Meg::Sensor& sensor : meg.sensors) channels += sensor.direction ? 1 : 3;
  auto lead_field = [meg](const core::Vec3& dipole_um) {
    std::vector<double> lead;
    for (const network::Meg::Sensor& sensor : meg.sensors) {
      const auto fields = unit_fields(meg, sensor.position_um, dipole_um);
      if (sensor.direction) {
        const double length = measure::norm(*sensor.direction);
        for (const core::Vec3& field : fields) lead.push_back(measure::dot(field, *sensor.direction) / length);
      } else {
        for (std::size_t axis = 0; axis < 3; ++axis) {
          for (const core::Vec3& field : fields) lead.push_back(field[axis]);
        }
      }
    }
    return lead;
  };
  return std::make_unique<measure::DipoleFieldModel>(channels, lead_field, meg.dipole_position_um);
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
