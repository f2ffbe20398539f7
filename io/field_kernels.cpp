#include "io/field_kernels.hpp"

#include <fmt/format.h>

#include <cmath>

#include "io/atomic_file.hpp"
#include "io/field_results.hpp"
#include "io/hdf5.hpp"

namespace triscale::io {

namespace {

/// Numbers that tell whether two probes see the same: kind, channels, places, medium.
std::vector<double> signature(const network::FieldProbe& probe) {
  const FieldChannels channels = channels_of(probe);
  std::vector<double> out = {static_cast<double>(probe.signal.index()), static_cast<double>(channels.ids.size())};
  for (const std::uint64_t id : channels.ids) out.push_back(static_cast<double>(id));
  out.insert(out.end(), channels.positions_um.begin(), channels.positions_um.end());
  if (const auto* potential = std::get_if<network::ExtracellularPotential>(&probe.signal)) {
    out.push_back(static_cast<double>(potential->source));
    out.insert(out.end(), potential->conductivity_S_m.begin(), potential->conductivity_S_m.end());
    for (const network::Electrode& electrode : potential->electrodes) out.push_back(electrode.radius_um);
  }
  for (const network::FieldProbe::Contribution& contribution : probe.contributions) {
    out.push_back(static_cast<double>(contribution.population));
    out.push_back(static_cast<double>(contribution.cells.size()));
  }
  return out;
}

std::string group_of(const std::string& probe, std::size_t population) {
  return fmt::format("/{}/{}", probe, population);
}

}  // namespace

void write_field_kernels(const std::filesystem::path& path, const network::Circuit& circuit,
                         const network::CircuitKernels& kernels) {
  AtomicFile place(path);
  Hdf5File file = Hdf5File::create(place.temporary());
  file.write("/edge_hash", std::vector<std::uint64_t>{kernels.edge_hash});
  file.write("/seed", std::vector<std::uint64_t>{kernels.seed});
  for (std::size_t k = 0; k < kernels.probes.size(); ++k) {
    const network::FieldKernels& probe = kernels.probes[k];
    const std::string root = "/" + probe.probe;
    file.write(root + "/time", std::vector<double>{static_cast<double>(probe.first) * probe.dt_ms, probe.dt_ms});
    file.write_attribute(root + "/time", "units", "ms");
    file.write(root + "/channels", signature(circuit.field_probes[k]));
    if (!probe.unexplained_variance.empty()) file.write(root + "/unexplained_variance", probe.unexplained_variance);
    for (const network::SourceKernels& source : probe.sources) {
      const std::string data = group_of(probe.probe, source.population) + "/kernel";
      const std::size_t size = probe.samples * probe.channels;
      file.write(data, source.values, {source.values.size() / size, probe.samples, probe.channels});
      if (!source.spread.empty()) file.write(group_of(probe.probe, source.population) + "/spread", source.spread);
      file.write_attribute(data, "population", circuit.populations[source.population].name);
      file.write_attribute(data, "units", channels_of(circuit.field_probes[k]).unit);
    }
  }
  file.close();
  place.commit();
}

network::CircuitKernels read_field_kernels(const std::filesystem::path& path, const network::Circuit& circuit,
                                           core::Diagnostics& diagnostics) {
  const char* again = "derive the kernels again (triscale derive)";
  const Hdf5File file = Hdf5File::open(path);
  network::CircuitKernels kernels;
  kernels.edge_hash = file.read<std::uint64_t>("/edge_hash").at(0);
  kernels.seed = file.read<std::uint64_t>("/seed").at(0);
  for (const network::FieldProbe& probe : circuit.field_probes) {
    const std::string root = "/" + probe.name;
    if (!file.exists(root)) {
      diagnostics.error({path.string(), root, probe.name, "has no kernels in this file", again});
      continue;
    }
    if (file.read<double>(root + "/channels") != signature(probe)) {
      diagnostics.error(
          {path.string(), root, probe.name, "has other channels than its kernels were derived for", again});
      continue;
    }
    network::FieldKernels out;
    out.probe = probe.name;
    const std::vector<double> time = file.read<double>(root + "/time");
    out.dt_ms = time.at(1);
    out.first = std::llround(time.at(0) / time.at(1));
    if (file.exists(root + "/unexplained_variance")) {
      out.unexplained_variance = file.read<double>(root + "/unexplained_variance");
    }
    for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
      const std::string data = group_of(probe.name, p) + "/kernel";
      const network::Population& population = circuit.populations[p];
      const bool there = file.exists(data) && file.string_attribute(data, "population") == population.name;
      const std::vector<std::size_t> shape = there ? file.shape(data) : std::vector<std::size_t>{};
      if (shape.size() != 3 || (shape[0] != population.size && shape[0] != 1)) {
        diagnostics.error({path.string(), data, population.name,
                           "must hold the kernels of this population, one or one a cell", again});
        continue;
      }
      out.samples = shape[1];
      out.channels = shape[2];
      out.sources.push_back({p, file.read<float>(data), shape[0] == population.size && population.size > 1});
      const std::string spread = group_of(probe.name, p) + "/spread";
      if (file.exists(spread)) out.sources.back().spread = file.read<double>(spread);
    }
    kernels.probes.push_back(std::move(out));
  }
  if (kernels.seed != circuit.run.seed) {
    diagnostics.warning(
        {path.string(), "/seed", std::to_string(circuit.run.seed),
         fmt::format("is not the seed {} that the kernels were derived with: generated connections differ",
                     kernels.seed),
         again});
  }
  return kernels;
}

}  // namespace triscale::io
