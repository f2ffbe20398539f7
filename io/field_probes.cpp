#include "io/field_probes.hpp"

#include <algorithm>
#include <cmath>

#include "io/csv.hpp"
#include "io/recipe.hpp"

namespace triscale::io {

namespace {

using network::FieldProbe;

const std::vector<std::string>& keys(const std::string& kind) {
  return recipe_keys().at(kind);
}

std::optional<core::Vec3> vector_at(const JsonObject& json, const std::string& key) {
  if (!json.has(key)) return std::nullopt;
  const std::vector<double> values = json.numbers(key);
  if (values.size() != 3) {
    json.error(key, "must be three numbers, x, y, z");
    return std::nullopt;
  }
  return core::Vec3{values[0], values[1], values[2]};
}

std::uint64_t id_of(const JsonObject& json, std::uint64_t otherwise) {
  const auto id = json.number("id");
  if (id && (!(*id >= 0) || *id != std::floor(*id))) json.error("id", "must be a whole number from 0 on");
  return id && *id >= 0 ? static_cast<std::uint64_t>(*id) : otherwise;
}

core::Vec3 required_vector(const JsonObject& json, const std::string& key) {
  if (!json.has(key)) json.error(key, "must be given: three numbers, x, y, z");
  return vector_at(json, key).value_or(core::Vec3{});
}

std::vector<network::Electrode> electrodes_of(const JsonObject& json, const std::filesystem::path& folder,
                                              core::Diagnostics& diagnostics) {
  std::vector<network::Electrode> electrodes;
  if (const auto file = json.text("electrodes_file")) {
    if (json.has("electrodes")) json.error("electrodes", "must not be given beside electrodes_file");
    electrodes = read_electrodes(folder / *file, diagnostics);
  }
  for (const JsonObject& entry : json.objects("electrodes")) {
    network::Electrode electrode;
    electrode.id = id_of(entry, electrodes.size());
    electrode.position_um = required_vector(entry, "position_um");
    electrode.radius_um = entry.number("radius_um").value_or(0);
    if (const auto normal = vector_at(entry, "normal")) electrode.normal = *normal;
    entry.reject_unread(keys("electrode"));
    electrodes.push_back(electrode);
  }
  return electrodes;
}

network::ExtracellularPotential potential_of(const JsonObject& json, const std::filesystem::path& folder,
                                             core::Diagnostics& diagnostics) {
  using Source = network::ExtracellularPotential::Source;
  network::ExtracellularPotential potential;
  potential.electrodes = electrodes_of(json, folder, diagnostics);
  const std::string source = json.text("source").value_or("line");
  if (source == "point") {
    potential.source = Source::point;
  } else if (source == "root_as_point") {
    potential.source = Source::root_as_point;
  } else if (source != "line") {
    json.error("source", "must be point, line or root_as_point");
  }
  const std::vector<double> sigma = json.numbers("conductivity_S_m");
  if (sigma.size() == 1) potential.conductivity_S_m = {sigma[0], sigma[0], sigma[0]};
  if (sigma.size() == 3) potential.conductivity_S_m = {sigma[0], sigma[1], sigma[2]};
  if (sigma.size() > 3 || sigma.size() == 2) json.error("conductivity_S_m", "must be one number, or three for x, y, z");
  potential.disc_points = static_cast<int>(json.number("disc_points").value_or(potential.disc_points));
  return potential;
}

network::CurrentSourceDensity density_of(const JsonObject& json) {
  network::CurrentSourceDensity density;
  for (const JsonObject& entry : json.objects("volumes")) {
    network::Volume volume;
    volume.id = id_of(entry, density.volumes.size());
    volume.low_um = required_vector(entry, "low_um");
    volume.high_um = required_vector(entry, "high_um");
    if (const auto axis = entry.text("cylinder_axis")) {
      volume.shape = network::Volume::Shape::cylinder;
      const std::size_t k = axis->size() == 1 ? std::string("xyz").find(*axis) : std::string::npos;
      if (k == std::string::npos) entry.error("cylinder_axis", "must be x, y or z");
      volume.axis = k == std::string::npos ? 2 : static_cast<int>(k);
    }
    entry.reject_unread(keys("volume"));
    density.volumes.push_back(volume);
  }
  return density;
}

std::array<double, 4> four(const JsonObject& json, const std::string& key, const std::array<double, 4>& otherwise) {
  const std::vector<double> values = json.numbers(key);
  if (values.size() == 4) return {values[0], values[1], values[2], values[3]};
  if (json.has(key)) json.error(key, "must be four numbers: brain, cerebrospinal fluid, skull, scalp");
  return otherwise;
}

std::optional<network::HeadModel> head_of(const JsonObject& json) {
  const auto object = json.object("head");
  if (!object) return std::nullopt;
  network::HeadModel head;
  head.centre_um = required_vector(*object, "centre_um");
  head.radii_um = four(*object, "radii_um", head.radii_um);
  head.conductivities_S_m = four(*object, "conductivities_S_m", head.conductivities_S_m);
  object->reject_unread(keys("head"));
  return head;
}

network::Eeg eeg_of(const JsonObject& json, const std::filesystem::path& folder, core::Diagnostics& diagnostics) {
  network::Eeg eeg;
  eeg.electrodes = electrodes_of(json, folder, diagnostics);
  eeg.dipole_position_um = vector_at(json, "dipole_position_um");
  eeg.head = head_of(json);
  if (!eeg.head) {
    eeg.conductivity_S_m = json.number("conductivity_S_m").value_or(eeg.conductivity_S_m);
  }
  return eeg;
}

network::Meg meg_of(const JsonObject& json) {
  network::Meg meg;
  for (const JsonObject& entry : json.objects("sensors")) {
    network::Meg::Sensor sensor;
    sensor.id = id_of(entry, meg.sensors.size());
    sensor.position_um = required_vector(entry, "position_um");
    sensor.direction = vector_at(entry, "direction");
    entry.reject_unread(keys("sensor"));
    meg.sensors.push_back(sensor);
  }
  meg.sphere_centre_um = vector_at(json, "sphere_centre_um");
  meg.dipole_position_um = vector_at(json, "dipole_position_um");
  return meg;
}

}  // namespace

std::vector<network::Electrode> read_electrodes(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  std::vector<network::Electrode> electrodes;
  const CsvTable table = read_csv(path, diagnostics);
  if (table.columns.empty()) return electrodes;  // reported
  for (const char* name : {"x_pos", "y_pos", "z_pos"}) {
    if (table.column(name)) continue;
    diagnostics.error({table.file, "header", "", std::string("must have a column ") + name,
                       "columns: channel x_pos y_pos z_pos, separated by spaces"});
    return electrodes;
  }
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    network::Electrode electrode;
    electrode.id = row;
    if (table.column("channel")) {
      const auto id = parse_id(table.field(row, "channel").value_or(""));
      if (!id) diagnostics.error({table.file, table.place(row, "channel"), "", "must be a whole number from 0 on", ""});
      electrode.id = id.value_or(row);
    }
    const char* names[] = {"x_pos", "y_pos", "z_pos"};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::string text = table.field(row, names[axis]).value_or("");
      const auto value = parse_number(text);
      if (!value) diagnostics.error({table.file, table.place(row, names[axis]), text, "must be a number (um)", ""});
      electrode.position_um[axis] = value.value_or(0);
    }
    electrodes.push_back(electrode);
  }
  return electrodes;
}

std::optional<FieldProbe> read_field_probe(const JsonObject& json, const std::filesystem::path& folder,
                                           const network::Circuit& circuit, core::Diagnostics& diagnostics) {
  FieldProbe probe;
  probe.name = json.required_text("name").value_or("");
  for (const std::string& name : json.texts("populations")) {
    std::size_t p = 0;
    while (p < circuit.populations.size() && circuit.populations[p].name != name) ++p;
    if (p == circuit.populations.size()) json.error("populations", "must hold names of populations", "'" + name + "'");
    if (p < circuit.populations.size()) probe.contributions.push_back({p, {}});
  }
  probe.begin_ms = json.number("begin_ms").value_or(probe.begin_ms);
  probe.end_ms = json.number("end_ms").value_or(probe.end_ms);
  probe.dt_ms = json.number("dt_ms").value_or(probe.dt_ms);
  probe.average = json.flag("average").value_or(false);
  probe.contributions_dir = json.text("contributions_dir").value_or("");
  const std::string kind = json.required_text("kind").value_or("");
  if (kind == "potential") {
    probe.signal = potential_of(json, folder, diagnostics);
  } else if (kind == "csd") {
    probe.signal = density_of(json);
  } else if (kind == "dipole") {
    probe.signal = network::CurrentDipole{};
  } else if (kind == "eeg") {
    probe.signal = eeg_of(json, folder, diagnostics);
  } else if (kind == "meg") {
    probe.signal = meg_of(json);
  } else {
    if (!kind.empty()) json.error("kind", "must be potential, csd, dipole, eeg or meg");
    // Whatever any kind has is read, so that its other problems are reported as well.
    potential_of(json, folder, diagnostics);
    density_of(json);
    head_of(json);
    meg_of(json);
    std::vector<std::string> known;
    for (const char* any : {"field_potential", "field_csd", "field_dipole", "field_eeg", "field_meg"}) {
      known.insert(known.end(), keys(any).begin(), keys(any).end());
    }
    json.reject_unread(known);
    return std::nullopt;
  }
  json.reject_unread(keys("field_" + kind));
  return probe;
}

void read_extracellular_report(const JsonObject& entry, const std::string& name, const ConfigFile& simulation,
                               const NodeSets& sets, network::Circuit& circuit, core::Diagnostics& diagnostics) {
  FieldProbe probe;
  probe.name = name;
  probe.report = std::filesystem::path(entry.text("file_name").value_or(name + ".h5")).stem().string();
  probe.begin_ms = entry.number("start_time").value_or(0.0);
  probe.end_ms = entry.number("end_time").value_or(circuit.run.duration_ms);
  probe.dt_ms = entry.number("dt").value_or(0.0);
  entry.accept({"variable_name"});
  if (entry.has("minimum_distance") &&
      !(entry.is_text("minimum_distance") && entry.text("minimum_distance") == "auto")) {
    entry.warning("minimum_distance", "has no effect: an electrode is never closer to a segment's axis than its radius",
                  "that is what \"auto\" means");
  }
  // As of file_name, what counts is the last name: results stand where the run writes them.
  std::filesystem::path folder = simulation.path_at(entry, "contributions_dir");
  if (!folder.empty() && !folder.has_filename()) folder = folder.parent_path();
  probe.contributions_dir = folder.filename().string();
  network::ExtracellularPotential potential;
  const std::filesystem::path file = simulation.path_at(entry, "electrode_positions");
  if (file.empty()) entry.error("electrode_positions", "must name a file with the columns channel x_pos y_pos z_pos");
  if (!file.empty()) potential.electrodes = read_electrodes(file, diagnostics);
  if (entry.is_list_of_numbers("electrode_channels")) {
    const std::vector<double> chosen = entry.numbers("electrode_channels");
    std::erase_if(potential.electrodes, [&](const network::Electrode& electrode) {
      return std::find(chosen.begin(), chosen.end(), static_cast<double>(electrode.id)) == chosen.end();
    });
  } else if (const auto channels = entry.text("electrode_channels"); channels && *channels != "all") {
    entry.error("electrode_channels", "must be \"all\" or a list of channels");
  }
  if (entry.has("cells")) {
    const auto selection = sets.select(entry, "cells");
    if (!selection) return;
    for (const auto& [p, cells] : *selection) {
      const network::Population& population = circuit.populations[p];
      // Cells without a membrane make no current; the format's "all" means the others.
      if (population.is_virtual || !circuit.cell_types[population.cell_type].detailed) continue;
      probe.contributions.push_back({p, cells.size() < population.size ? cells : std::vector<std::uint32_t>{}});
    }
    if (probe.contributions.empty()) {
      entry.warning("cells", "has no cells with a membrane: the report is not written");
      return;
    }
  }
  entry.report_unread();
  probe.signal = std::move(potential);
  circuit.field_probes.push_back(std::move(probe));
}

}  // namespace triscale::io
