#include "pointneuron/izhikevich.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "pointneuron/marks.hpp"

namespace triscale::pointneuron {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLowest = std::numeric_limits<double>::lowest();

constexpr double kSeriesRange = 0.01;
/// tan(sqrt(z)) / sqrt(z) for |z| < kSeriesRange by its Taylor series; the first term left out is below 3e-17.
TRISCALE_ALWAYS_INLINE double tangent_series(double z) {
  // Pairs of terms first: short chains of dependent operations.
  const double z2 = z * z;
  const double p_0 = 1.0 + z * (1.0 / 3.0), p_2 = 2.0 / 15.0 + z * (17.0 / 315.0);
  const double p_4 = 62.0 / 2835.0 + z * (1382.0 / 155925.0), p_6 = 21844.0 / 6081075.0;
  return (p_0 + z2 * p_2) + (z2 * z2) * (p_4 + z2 * p_6);
}

/// The same for any z, continued to tanh for z < 0; infinity from the first pole on.
double tangent_ratio(double z) {
  constexpr double kHalfPi = 1.5707963267948966;
  if (std::abs(z) < kSeriesRange) return tangent_series(z);
  const double root = std::sqrt(std::abs(z));
  if (z < 0) return std::tanh(root) / root;
  return root < kHalfPi ? std::tan(root) / root : kInfinity;
}

/// Marks the cells that fire or are not finite: what is not finite less itself is not 0.
TRISCALE_ALWAYS_INLINE void mark_loud(std::size_t n, const double* __restrict V, const double* __restrict u,
                                      double V_peak, std::uint8_t* __restrict loud) {
  for (std::size_t i = 0; i < n; ++i) loud[i] = (V[i] < V_peak) & (V[i] >= kLowest) & (u[i] - u[i] == 0.0) ? 0 : 1;
}

}  // namespace

double riccati_step(double y, double A, double B, double D, double h) {
  const double middle = -0.5 * B / A;
  const double q = D + 0.5 * B * middle;  // D - B^2 / (4 A)
  const double T = h * tangent_ratio(A * q * h * h);
  if (T == kInfinity) return kInfinity;
  const double x = y - middle, below = 1 - A * x * T;
  return below > 0 ? middle + (x + q * T) / below : kInfinity;
}

struct IzhikevichNeurons::Cells {
  double* V;
  double* u;
  double* rough;    ///< below kSeriesRange where the series does
  const double* G;  ///< null: no conductances
  const double* J;
  const double* at_end;
};

IzhikevichNeurons::IzhikevichNeurons(const network::IzhikevichModel& model, const NeuronSetup& setup)
    : model_(model),
      isa_(setup.isa),
      constants_{model.k_uS_per_mV / model.C_m_nF,
                 1 / model.k_uS_per_mV,
                 model.V_rest_mV,
                 model.V_T_mV,
                 model.V_peak_mV,
                 model.b_uS,
                 setup.dt_ms,
                 1 / model.C_m_nF,
                 std::exp(-model.a_per_ms * setup.dt_ms),
                 std::exp(-0.5 * model.a_per_ms * setup.dt_ms)},
      V_mV_(setup.cells, model.V_rest_mV),
      u_nA_(setup.cells, model.u_init_nA) {}

/// V' = A (V - middle)^2 + q, with u at the beginning of the step (1) and as predicted for its middle (2).
struct IzhikevichNeurons::Parabola {
  double middle, q_1, q_2;
  TRISCALE_ALWAYS_INLINE Parabola(const Constants& c, double G, double J, double V, double u) {
    middle = 0.5 * (c.V_rest + c.V_T + G * c.per_k);
    const double shift = c.A * middle * middle;
    q_1 = (J - u) * c.per_C - shift;
    const double u_middle = u * c.kept_half + (1 - c.kept_half) * c.b * (V - c.V_rest);
    q_2 = (J - u_middle) * c.per_C - shift;
  }
};

/// T over half a step (1) and over the whole one (2); with the series alone, worth nothing where `size` is not below
/// kSeriesRange.
struct IzhikevichNeurons::Tangents {
  double T_1, T_2, size;
};
template <bool kSeries>
TRISCALE_ALWAYS_INLINE IzhikevichNeurons::Tangents IzhikevichNeurons::tangents(const Constants& c, const Parabola& p) {
  const double half = 0.5 * c.h, z_1 = c.A * p.q_1 * half * half, z_2 = c.A * p.q_2 * c.h * c.h;
  const double size_1 = z_1 > 0 ? z_1 : -z_1, size_2 = z_2 > 0 ? z_2 : -z_2;
  return {half * (kSeries ? tangent_series(z_1) : tangent_ratio(z_1)),
          c.h * (kSeries ? tangent_series(z_2) : tangent_ratio(z_2)), size_1 > size_2 ? size_1 : size_2};
}

/// Moves a cell over the step.
TRISCALE_ALWAYS_INLINE void IzhikevichNeurons::move(const Constants& c, const Parabola& p, double T_1, double T_2,
                                                    double& V, double& u) {
  // x(h) = (x + q T) / (1 - A x T), infinity behind the pole; the two quotients by one division.
  const double x = V - p.middle, below_1 = 1 - c.A * x * T_1, below_2 = 1 - c.A * x * T_2;
  const double divisor_1 = below_1 > 0 ? below_1 : 1.0, divisor_2 = below_2 > 0 ? below_2 : 1.0;
  const double inverse = 1 / (divisor_1 * divisor_2);
  const double finite_1 = (x + p.q_1 * T_1) * (inverse * divisor_2),
               finite_2 = (x + p.q_2 * T_2) * (inverse * divisor_1);
  const double predicted = p.middle + finite_1;
  const double limited = predicted < c.V_peak ? predicted : c.V_peak;
  const double V_middle = below_1 > 0 ? limited : c.V_peak;
  V = below_2 > 0 ? p.middle + finite_2 : kInfinity;
  u = u * c.kept + (1 - c.kept) * c.b * (V_middle - c.V_rest);
}

void IzhikevichNeurons::step_some(std::size_t from, const Cells& cells, std::size_t n,
                                  std::vector<std::uint32_t>& spikes) {
  const Constants c = constants_;
  double *V = cells.V, *u = cells.u, *rough = cells.rough;
  const double *G = cells.G, *J = cells.J, *at_end = cells.at_end;
  std::size_t smooth = 0;
  std::size_t* found = &smooth;
  const auto move_all = [=](const auto& G_of) TRISCALE_INLINE_LAMBDA {
    std::size_t number = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double V_next = V[i], u_next = u[i];
      const Parabola parabola(c, G_of(i), J[i], V[i], u[i]);
      const Tangents t = tangents<true>(c, parabola);
      move(c, parabola, t.T_1, t.T_2, V_next, u_next);
      const bool good = t.size < kSeriesRange;
      rough[i] = t.size;
      V[i] = good ? V_next : V[i];
      u[i] = good ? u_next : u[i];
      number += good ? 1 : 0;
    }
    *found = number;
  };
  if (G == nullptr) {
    core::compiled_for(
        isa_, [=]() TRISCALE_INLINE_LAMBDA { move_all([](std::size_t) TRISCALE_INLINE_LAMBDA { return 0.0; }); });
  } else {
    core::compiled_for(
        isa_, [=]() TRISCALE_INLINE_LAMBDA { move_all([G](std::size_t i) TRISCALE_INLINE_LAMBDA { return G[i]; }); });
  }
  for (std::size_t i = 0; smooth != n && i < n; ++i) {
    if (rough[i] < kSeriesRange) continue;
    const Parabola parabola(c, G == nullptr ? 0.0 : G[i], J[i], V[i], u[i]);
    const Tangents t = tangents<false>(c, parabola);
    // Behind the first pole of the tangent V has passed one, too. The half step comes there later.
    if (t.T_1 == kInfinity) {
      u[i] = u[i] * c.kept + (1 - c.kept) * c.b * (c.V_peak - c.V_rest);
    } else {
      move(c, parabola, t.T_1, t.T_2 == kInfinity ? t.T_1 : t.T_2, V[i], u[i]);
    }
    if (t.T_2 == kInfinity) V[i] = kInfinity;
  }
  Marks marks;
  std::uint8_t* marked = marks.of.data();
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; at_end != nullptr && i < n; ++i) V[i] += at_end[i];
    mark_loud(n, V, u, c.V_peak, marked);
  });
  marks.for_each(n, [&](std::size_t i) {
    if (std::isnan(V[i]) || V[i] == -kInfinity) throw NonFinite{from + i, "v"};
    if (!std::isfinite(u[i])) throw NonFinite{from + i, "u"};
    spikes.push_back(static_cast<std::uint32_t>(from + i));
    V[i] = model_.c_mV;
    u[i] += model_.d_nA;
  });
}

void IzhikevichNeurons::step(std::size_t begin, std::size_t end, const StepInput& input,
                             std::vector<std::uint32_t>& spikes) {
  const double product = model_.k_uS_per_mV * model_.V_rest_mV * model_.V_T_mV;
  std::array<double, kBlock> J, rough;
  for (std::size_t from = begin; from < end; from += kBlock) {
    const std::size_t n = std::min(end, from + kBlock) - from;
    const bool conductances = !input.G_uS.empty();
    const double *I = input.I_nA.data() + from, *GE = conductances ? input.GE_nA.data() + from : nullptr;
    core::compiled_for(isa_, [=, to = J.data()]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) to[i] = product + I[i];
      for (std::size_t i = 0; GE != nullptr && i < n; ++i) to[i] += GE[i];
    });
    step_some(
        from,
        {V_mV_.data() + from, u_nA_.data() + from, rough.data(), conductances ? input.G_uS.data() + from : nullptr,
         J.data(), input.arrivals_at_end.empty() ? nullptr : input.arrivals_at_end.data() + from},
        n, spikes);
  }
}

std::span<const double> IzhikevichNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "u") return u_nA_;
  return {};
}

}  // namespace triscale::pointneuron
