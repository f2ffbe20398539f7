#include "bridges/gif/spike_response.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "bridges/cable/linear_tree.hpp"
#include "bridges/point/synapse_reduction.hpp"

namespace triscale::bridges {

namespace {

constexpr double kHighest_Hz = 2000;  // synaptic potentials have no power above
constexpr double kPad_ms = 300;       // longer than the memory of membranes, so that the end does not wrap around
constexpr std::size_t kFewestSpikes = 12;

/// Events of one receptor type on one node, as a train on the time grid, nA at the peak of the synaptic current.
using Trains = std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<double>>;

Trains event_trains(const CellSample& sample, std::size_t cell, const LinearInput& input, const SourceTrains& sources,
                    const std::vector<double>& V_mV, std::size_t length) {
  Trains trains;
  for (const LinearSynapse& synapse : input.onto(sample.cells[cell])) {
    std::vector<double>& train = trains[{synapse.node, synapse.receptor}];
    if (train.empty()) train.assign(length, 0.0);
    const double I_nA = input.current_nA(synapse, V_mV);
    for (const double t_ms : sources.spikes_ms[synapse.source]) {
      const double position = (t_ms + synapse.delay_ms) / sample.dt_ms;
      const auto step = static_cast<std::size_t>(position);
      if (step + 1 >= sample.steps) continue;
      const double share = position - static_cast<double>(step);
      train[step] += (1 - share) * I_nA;
      train[step + 1] += share * I_nA;
    }
  }
  // Deviations from the mean, which is part of the operating point.
  for (auto& [place, train] : trains) {
    double mean = 0;
    for (std::size_t k = 0; k < sample.steps; ++k) mean += train[k];
    mean /= static_cast<double>(sample.steps);
    for (std::size_t k = 0; k < sample.steps; ++k) train[k] -= mean;
  }
  return trains;
}

}  // namespace

SourceTrains trains_of(const network::Circuit& circuit, const measure::Activity& activity) {
  const SourceLabels labels(circuit);
  SourceTrains trains{std::vector<std::vector<double>>(labels.count()), rates_of(circuit, activity)};
  for (std::size_t p = 0; p < activity.populations.size(); ++p) {
    const measure::PopulationActivity& population = activity.populations[p];
    for (std::size_t k = 0; k < population.spike_cells.size(); ++k) {
      trains.spikes_ms[labels.first(p) + population.spike_cells[k]].push_back(population.spike_times_ms[k]);
    }
  }
  return trains;
}

LagBasis LagBasis::around_spike(double step_ms) {
  LagBasis basis;
  const auto add = [&](double begin_ms, double end_ms, double width_ms) {
    const auto n = static_cast<std::size_t>(std::llround((end_ms - begin_ms) / width_ms));
    for (std::size_t i = 0; i < n; ++i) basis.edges_ms.push_back(begin_ms + static_cast<double>(i) * width_ms);
  };
  add(-2, 6, std::max(step_ms, 0.1));
  add(6, 20, 1);
  add(20, 60, 4);
  add(60, 180, 20);
  basis.edges_ms.push_back(180);
  return basis;
}

std::vector<float> linear_potentials(const CellSample& sample, const QuasiActiveCell& cell, Channels channels,
                                     const LinearInput& input, const SourceTrains& sources) {
  const detailed::CompartmentTree& tree = cell.tree();
  std::size_t length = 1;
  while (static_cast<double>(length) < static_cast<double>(sample.steps) + kPad_ms / sample.dt_ms) length *= 2;
  const double df_Hz = 1000.0 / (static_cast<double>(length) * sample.dt_ms);
  const std::size_t frequencies = std::min(length / 2, static_cast<std::size_t>(kHighest_Hz / df_Hz));
  std::vector<std::vector<Complex>> admittance(frequencies);
  for (std::size_t f = 0; f < frequencies; ++f) {
    admittance[f] = cell.membrane_admittance_uS(static_cast<double>(f) * df_Hz, channels);
  }
  std::vector<float> out(sample.V_mV.size());
  LinearTree solver(tree.parents, tree.g_axial_uS);
  Eigen::FFT<double> fft;
  fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  std::vector<Complex> spectrum, y;
  std::vector<double> wave;
  for (std::size_t c = 0; c < sample.cells.size(); ++c) {
    std::vector<double> re(frequencies * tree.size(), 0.0), im(frequencies * tree.size(), 0.0);
    for (const auto& [place, train] : event_trains(sample, c, input, sources, cell.V_mV(), length)) {
      const network::BiexponentialSynapse& kinetics = input.receptors()[place.second].receptor.kinetics;
      fft.fwd(spectrum, train);
      for (std::size_t f = 0; f < frequencies; ++f) {
        const Complex I = spectrum[f] * spectrum_of(kinetics, static_cast<double>(f) * df_Hz);
        re[f * tree.size() + place.first] += I.real();
        im[f * tree.size() + place.first] += I.imag();
      }
    }
    const std::vector<double> background = input.background_uS(sample.cells[c], cell.V_mV());
    for (std::size_t f = 0; f < frequencies; ++f) {
      y = admittance[f];
      for (std::size_t n = 0; n < y.size(); ++n) y[n] += background[n];
      solver.factorise(y);
      solver.solve(1, std::span(re).subspan(f * tree.size(), tree.size()),
                   std::span(im).subspan(f * tree.size(), tree.size()));
    }
    spectrum.assign(length / 2 + 1, 0.0);
    for (std::size_t n = 0; n < tree.size(); ++n) {
      for (std::size_t f = 0; f < frequencies; ++f) spectrum[f] = {re[f * tree.size() + n], im[f * tree.size() + n]};
      fft.inv(wave, spectrum, static_cast<Eigen::Index>(length));
      float* to = out.data() + c * sample.steps * sample.nodes + n;
      // The inverse transform sums over frequencies; the integral over them has the width 1 / (length dt).
      for (std::size_t k = 0; k < sample.steps; ++k) to[k * sample.nodes] = static_cast<float>(wave[k] / sample.dt_ms);
    }
  }
  return out;
}

namespace {

/// Which intervals of the basis are active at each step of a cell's record.
std::vector<std::vector<std::uint16_t>> active_intervals(const CellSample& sample, std::size_t cell,
                                                         const LagBasis& basis) {
  std::vector<std::vector<std::uint16_t>> active(sample.steps);
  for (const double spike_ms : sample.spikes_ms[cell]) {
    const double begin_ms = spike_ms + basis.edges_ms.front(), end_ms = spike_ms + basis.edges_ms.back();
    const auto first = static_cast<std::size_t>(std::max(0.0, std::ceil(begin_ms / sample.dt_ms - 1e-6)));
    std::uint16_t interval = 0;
    for (std::size_t k = first; k < sample.steps; ++k) {
      const double lag_ms = static_cast<double>(k) * sample.dt_ms - spike_ms + 1e-6;
      if (lag_ms + spike_ms >= end_ms) break;
      while (interval + 1u < basis.size() && basis.edges_ms[interval + 1] <= lag_ms) ++interval;
      active[k].push_back(interval);
    }
  }
  return active;
}

}  // namespace

SpikeResponse fit_spike_response(const CellSample& sample, const std::vector<float>& linear_mV) {
  SpikeResponse response;
  response.basis = LagBasis::around_spike(sample.dt_ms);
  for (const std::vector<double>& spikes : sample.spikes_ms) response.spikes += spikes.size();
  if (response.spikes < kFewestSpikes) return response;
  const auto unknowns = static_cast<Eigen::Index>(response.basis.size() + 1);
  const auto nodes = static_cast<Eigen::Index>(sample.nodes);
  Eigen::MatrixXd XtX = Eigen::MatrixXd::Zero(unknowns, unknowns), XtR = Eigen::MatrixXd::Zero(unknowns, nodes);
  Eigen::VectorXd residual(nodes);
  for (std::size_t c = 0; c < sample.cells.size(); ++c) {
    const auto active = active_intervals(sample, c, response.basis);
    for (std::size_t k = sample.settled; k < sample.steps; ++k) {
      const float* V = sample.at(c, k);
      const float* linear = linear_mV.data() + (c * sample.steps + k) * sample.nodes;
      for (Eigen::Index n = 0; n < nodes; ++n) residual[n] = V[n] - linear[n];
      XtR.row(unknowns - 1) += residual.transpose();
      XtX(unknowns - 1, unknowns - 1) += 1;
      for (const std::uint16_t i : active[k]) {
        XtR.row(i) += residual.transpose();
        XtX(unknowns - 1, i) += 1;
        XtX(i, unknowns - 1) += 1;
        for (const std::uint16_t j : active[k]) XtX(i, j) += 1;
      }
    }
  }
  // Intervals that no spike reached get no response.
  XtX.diagonal().head(unknowns - 1).array() += 1.0;
  const Eigen::MatrixXd solution = XtX.ldlt().solve(XtR);
  response.V_mV.resize(response.basis.size() * sample.nodes);
  for (std::size_t i = 0; i < response.basis.size(); ++i) {
    for (std::size_t n = 0; n < sample.nodes; ++n) {
      response.V_mV[i * sample.nodes + n] = solution(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(n));
    }
  }
  return response;
}

void add_spike_response(const CellSample& sample, const SpikeResponse& response, std::vector<float>& linear_mV) {
  if (!response.known()) return;
  for (std::size_t c = 0; c < sample.cells.size(); ++c) {
    const auto active = active_intervals(sample, c, response.basis);
    for (std::size_t k = 0; k < sample.steps; ++k) {
      float* V = linear_mV.data() + (c * sample.steps + k) * sample.nodes;
      for (const std::uint16_t i : active[k]) {
        const double* r = response.V_mV.data() + i * sample.nodes;
        for (std::size_t n = 0; n < sample.nodes; ++n) V[n] += static_cast<float>(r[n]);
      }
    }
  }
}

}  // namespace triscale::bridges
