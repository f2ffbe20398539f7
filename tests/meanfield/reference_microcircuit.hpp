/// The cortical microcircuit of Potjans & Diesmann (2014) from the reference values, as a LIF network.
#pragma once

#include <nlohmann/json.hpp>

#include "meanfield/lif_network.hpp"

namespace triscale::meanfield {

inline LifNetwork reference_microcircuit(const nlohmann::json& reference, double delay_cv = 0) {
  const auto& pd = reference.at("potjans_diesmann_2014");
  LifNetwork network;
  const auto n = static_cast<Eigen::Index>(pd.at("N").size());
  network.in_degree.resize(n, n);
  network.psp_mV.resize(n, n);
  network.delay_ms.resize(n, n);
  const double J_ext_mV = 1000 * pd.at("J_ext_V").get<double>();
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto row = static_cast<std::size_t>(i);
    LifPopulation population;
    population.name = pd.at("populations")[row];
    population.cells = pd.at("N")[row];
    population.cell = {10, 2, 15, 0, 0.5};
    add_poisson_input(population, pd.at("K_ext")[row], J_ext_mV, J_ext_mV * J_ext_mV, pd.at("nu_ext_Hz"));
    network.populations.push_back(population);
    for (Eigen::Index j = 0; j < n; ++j) {
      const auto column = static_cast<std::size_t>(j);
      network.in_degree(i, j) = pd.at("K")[row][column];
      network.psp_mV(i, j) = 1000 * pd.at("J_V")[row][column].get<double>();
      network.delay_ms(i, j) = 1000 * (j % 2 == 0 ? pd.at("delay_e") : pd.at("delay_i")).get<double>();
    }
  }
  network.psp2_mV2 = network.psp_mV.cwiseAbs2();
  network.delay_sd_ms = delay_cv * network.delay_ms;
  return network;
}

}  // namespace triscale::meanfield
