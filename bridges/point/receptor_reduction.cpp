#include "bridges/point/receptor_reduction.hpp"

#include <ceres/ceres.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "bridges/point/circuit_synapses.hpp"

namespace triscale::bridges {

namespace {

constexpr double kBlockSlope_per_mV = 0.062, kHalf_mM = 3.57;  // network::Receptor
constexpr double kSample_ms = 1;                               // of the time courses that are fitted

double block(double V_mV, double Mg_mM) {
  return Mg_mM > 0 ? 1 / (1 + std::exp(-kBlockSlope_per_mV * V_mV) * Mg_mM / kHalf_mM) : 1;
}

/// 1, 2, 4, ... synapses of each cell, spread evenly over its list, at rest and held above it.
std::vector<Volley> volleys_of(const std::vector<std::vector<PspSite>>& cells, double V_rest_mV, double R_MOhm) {
  constexpr std::size_t kMost = 64;
  constexpr double kBelowThreshold_mV = -55, kHeld[] = {0, 0.4, 0.8};
  std::vector<Volley> out;
  for (const double held : kHeld) {
    const double hold_nA = held * std::max(0.0, kBelowThreshold_mV - V_rest_mV) / R_MOhm;
    if (held > 0 && !(hold_nA > 0)) break;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      for (std::size_t k = 1; k <= std::min(kMost, cells[c].size()); k *= 2) {
        Volley& volley = out.emplace_back();
        volley.hold_nA = hold_nA;
        for (std::size_t j = 0; j < k; ++j) {
          volley.synapses.push_back(cells[c][(j * cells[c].size() / k + c) % cells[c].size()]);
        }
      }
    }
  }
  return out;
}

/// A volley that left the cell silent, and what it did.
struct Datum {
  Volley volley;
  VolleyResponse detailed;
  double peak_mV = 0, rms_mV = 0;
};

struct Effective {
  double delta_mV = 0, factor = 1;
};

/// The synapse with the block moved by delta and the blocked receptors scaled.
network::SynapseType with(const network::ReceptorSynapse& carried, const Effective& effective) {
  network::ReceptorSynapse out = carried;
  for (network::Receptor& receptor : out.receptors) {
    if (!(receptor.Mg_mM > 0)) continue;
    receptor.Mg_mM *= std::exp(-kBlockSlope_per_mV * effective.delta_mV);
    receptor.weight_factor *= effective.factor;
  }
  network::SynapseType type;
  type.point = std::move(out);
  return type;
}

network::SynapseType frozen(const network::ReceptorSynapse& carried, double V_mV) {
  network::ReceptorSynapse out = carried;
  for (network::Receptor& receptor : out.receptors) {
    receptor.weight_factor *= block(V_mV, receptor.Mg_mM);
    receptor.Mg_mM = 0;
  }
  network::SynapseType type;
  type.point = std::move(out);
  return type;
}

double area_of(const std::vector<double>& dV_mV) {
  return std::accumulate(dV_mV.begin(), dV_mV.end(), 0.0);
}

/// Root mean square of the relative errors of peaks and areas: AMPA receptors make the one, NMDA receptors the other.
double error_of(const network::SynapseType& type, const std::vector<Datum>& data, const PassiveMembrane& membrane,
                double dt_ms) {
  double sum = 0;
  for (const Datum& datum : data) {
    const std::vector<double> dV = point_response(type, datum.volley, membrane, datum.detailed.base_mV, dt_ms);
    sum += std::pow(peak_of(dV) / datum.peak_mV - 1, 2);
    sum += std::pow(area_of(dV) / area_of(datum.detailed.dV_mV) - 1, 2);
  }
  return std::sqrt(sum / static_cast<double>(2 * data.size()));
}

/// Differences of the time courses, each volley relative to its own size.
class TimeCourses {
 public:
  TimeCourses(const network::ReceptorSynapse& carried, const std::vector<Datum>& data, const PassiveMembrane& membrane,
              double dt_ms)
      : carried_(carried), data_(data), membrane_(membrane), dt_ms_(dt_ms) {
    stride_ = std::max<std::size_t>(1, static_cast<std::size_t>(kSample_ms / dt_ms));
  }
  std::size_t residuals() const {
    std::size_t n = 0;
    for (const Datum& datum : data_) n += (datum.detailed.dV_mV.size() + stride_ - 1) / stride_;
    return n + kParameters;
  }
  static Effective effective_of(const double* x) { return {kUnit_mV * x[0], std::exp(x[1])}; }
  bool operator()(const double* const* x, double* residual) const {
    const network::SynapseType type = with(carried_, effective_of(x[0]));
    std::size_t r = 0;
    for (const Datum& datum : data_) {
      const std::vector<double> dV = point_response(type, datum.volley, membrane_, datum.detailed.base_mV, dt_ms_);
      for (std::size_t k = 0; k < datum.detailed.dV_mV.size(); k += stride_) {
        residual[r++] = (dV[k] - datum.detailed.dV_mV[k]) / datum.rms_mV;
      }
    }
    // Where the block is nearly complete, delta and the factor do the same; the data alone would take either anywhere.
    const double weight = kPrior * std::sqrt(static_cast<double>(r));
    residual[r++] = weight * kUnit_mV * x[0][0] / kPriorDelta_mV;
    residual[r++] = weight * x[0][1] / kPriorFactor;
    return true;
  }
  static constexpr std::size_t kParameters = 2;
  /// A delta of 10 mV or a factor of 1.35 has to make the time courses better by 2 %.
  static constexpr double kPrior = 0.02, kPriorDelta_mV = 10, kPriorFactor = 0.3;
  static constexpr double kUnit_mV = 16;  // 1 / 0.062: a factor of e in the concentration

 private:
  const network::ReceptorSynapse& carried_;
  const std::vector<Datum>& data_;
  const PassiveMembrane& membrane_;
  double dt_ms_;
  std::size_t stride_ = 1;
};

Effective fit(const network::ReceptorSynapse& carried, const std::vector<Datum>& data, const PassiveMembrane& membrane,
              double dt_ms) {
  constexpr double kLeast_mV = -20, kMost_mV = 60, kFactor = 4;
  auto courses = std::make_unique<TimeCourses>(carried, data, membrane, dt_ms);
  const auto n = static_cast<int>(courses->residuals());
  ceres::NumericDiffOptions steps;
  steps.relative_step_size = 1e-4;
  auto cost = std::make_unique<ceres::DynamicNumericDiffCostFunction<TimeCourses>>(courses.release(),
                                                                                   ceres::TAKE_OWNERSHIP, steps);
  cost->AddParameterBlock(2);
  cost->SetNumResiduals(n);
  double x[2] = {5 / TimeCourses::kUnit_mV, 0.05};
  ceres::Problem problem;
  problem.AddResidualBlock(cost.release(), nullptr, x);
  problem.SetParameterLowerBound(x, 0, kLeast_mV / TimeCourses::kUnit_mV);
  problem.SetParameterUpperBound(x, 0, kMost_mV / TimeCourses::kUnit_mV);
  problem.SetParameterLowerBound(x, 1, -std::log(kFactor));
  problem.SetParameterUpperBound(x, 1, std::log(kFactor));
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_QR;
  options.logging_type = ceres::SILENT;
  options.max_num_iterations = 30;
  options.function_tolerance = 1e-5;
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  return TimeCourses::effective_of(x);
}

std::vector<Datum> silent_volleys(std::vector<Volley> volleys, std::vector<VolleyResponse> responses) {
  constexpr double kLeast_mV = 0.01;  // below this the driving force says nothing
  std::vector<Datum> out;
  for (std::size_t i = 0; i < volleys.size(); ++i) {
    if (responses[i].dV_mV.empty()) continue;
    Datum datum{std::move(volleys[i]), std::move(responses[i])};
    datum.peak_mV = peak_of(datum.detailed.dV_mV);
    if (std::abs(datum.peak_mV) < kLeast_mV) continue;
    double squares = 0;
    for (const double dV : datum.detailed.dV_mV) squares += dV * dV;
    datum.rms_mV = std::sqrt(squares / static_cast<double>(datum.detailed.dV_mV.size()));
    out.push_back(std::move(datum));
  }
  return out;
}

}  // namespace

ReceptorReduction reduce_receptors(const network::Circuit& circuit, std::size_t synapse_type, const ReducedCell& cell) {
  constexpr std::size_t kCells = 3;
  const network::SynapseType& type = circuit.synapse_types[synapse_type];
  const auto& given = std::get<network::ReceptorSynapse>(*type.detailed).receptors;
  std::size_t lead = 0;
  while (lead + 1 < given.size() && given[lead].Mg_mM > 0) ++lead;
  if (given[lead].Mg_mM > 0) lead = 0;
  ReceptorReduction out;
  const std::vector<std::vector<PspSite>> cells = synapses_of_cells(circuit, synapse_type, kCells);
  const SiteStatistics sites = site_statistics(circuit, synapse_type, cell.tree);
  std::vector<SynapseReduction> alone;
  for (const network::Receptor& receptor : given) {
    SiteStatistics own = sites;
    own.mean_weight_uS *= receptor.weight_factor * block(cell.V_rest_mV, receptor.Mg_mM);
    alone.push_back(reduce_synapse(receptor.kinetics, cell.tree, cell.spectrum, cell.membrane, 1, own));
  }
  const SynapseReduction& shared = alone[lead];
  out.synapse.sites = shared.synapse.sites;
  out.mean_attenuation = shared.mean_attenuation;
  out.mean_psp_error = shared.mean_psp_error;
  out.largest_psp_error = shared.largest_psp_error;
  for (std::size_t r = 0; r < given.size(); ++r) {
    double own = 0, of_lead = 0;
    for (const std::vector<PspSite>& synapses : cells) {
      for (const PspSite& one : synapses) {
        own += one.weight_uS * alone[r].synapse.find(one.site)->attenuation;
        of_lead += one.weight_uS * shared.synapse.find(one.site)->attenuation;
      }
    }
    const double ratio = of_lead > 0 ? own / of_lead : 1;
    out.synapse.receptors.push_back(
        {alone[r].synapse.receptors.front(), given[r].weight_factor * ratio, given[r].Mg_mM});
    out.blocked = out.blocked || given[r].Mg_mM > 0;
  }
  if (!out.blocked || cells.empty()) return out;

  const double R_MOhm = std::abs(cell.spectrum.input.front()[cell.spectrum.soma]);
  std::vector<Volley> volleys = volleys_of(cells, cell.V_rest_mV, R_MOhm);
  std::vector<VolleyResponse> responses = detailed_responses(cell.type, type, circuit.run, cell.V_rest_mV, volleys);
  const std::vector<Datum> data = silent_volleys(std::move(volleys), std::move(responses));
  out.volleys = data.size();
  if (data.empty()) return out;
  for (const Datum& datum : data) out.most_synapses = std::max(out.most_synapses, datum.volley.synapses.size());
  const double dt_ms = circuit.run.dt_ms;
  const Effective effective = fit(out.synapse, data, cell.membrane, dt_ms);
  out.delta_mV = effective.delta_mV;
  out.factor = effective.factor;
  const network::SynapseType linear = frozen(out.synapse, cell.V_rest_mV), fitted = with(out.synapse, effective);
  out.error_frozen = error_of(linear, data, cell.membrane, dt_ms);
  out.error_somatic = error_of(with(out.synapse, {}), data, cell.membrane, dt_ms);
  out.error_effective = error_of(fitted, data, cell.membrane, dt_ms);
  out.frozen = out.error_frozen < ReceptorReduction::kGood;
  out.synapse = std::get<network::ReceptorSynapse>(*(out.frozen ? linear : fitted).point);
  return out;
}

void describe(const ReceptorReduction& r, network::Provenance& p) {
  p.fit_error["psp_shape_mean"] = r.mean_psp_error;
  p.fit_error["psp_shape_largest"] = r.largest_psp_error;
  p.operating_point["mean_attenuation"] = r.mean_attenuation;
  p.method = "transfer impedance at rest, one table of sites for all receptors";
  if (!r.blocked) return;
  if (r.volleys == 0) {
    p.notes.push_back(
        "no volley of the circuit's synapses could be measured: the magnesium block is that of the "
        "soma's potential");
    return;
  }
  p.method += r.frozen ? "; magnesium block frozen at rest"
                       : "; magnesium block at the soma's potential plus an effective local depolarisation";
  p.fit_error["volleys_linear"] = r.error_frozen;
  p.fit_error["volleys_block_at_soma"] = r.error_somatic;
  p.fit_error["volleys_effective_block"] = r.error_effective;
  if (!r.frozen) {
    p.operating_point["local_depolarisation_mV"] = r.delta_mV;
    p.operating_point["blocked_conductance_factor"] = r.factor;
  }
  p.notes.push_back(fmt::format(
      "{} volleys of 1 to {} of the circuit's synapses, at rest and held above it: peaks at the soma are off by {:.2g} "
      "% "
      "if the blocked receptors are linear, {:.2g} % with the block of the soma's potential, {:.2g} % with the block "
      "moved by {:+.2g} mV; chosen: {}",
      r.volleys, r.most_synapses, 100 * r.error_frozen, 100 * r.error_somatic, 100 * r.error_effective, r.delta_mV,
      r.frozen ? "linear, because that is enough" : "the effective block, because the deviation matters"));
  if (std::min(r.frozen ? r.error_frozen : r.error_effective, 1e9) > ReceptorReduction::kBad) {
    p.notes.push_back(
        "the dendrites do more than an effective block can describe: potentials of synapses that are "
        "active together are wrong by the figures in fit_error");
  }
}

}  // namespace triscale::bridges
