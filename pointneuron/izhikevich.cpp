#include "pointneuron/izhikevich.hpp"

#include <cmath>
#include <limits>

namespace triscale::pointneuron {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// tan(sqrt(z)) / sqrt(z), continued to tanh for z < 0; infinity from the first pole on.
double tangent_ratio(double z) {
  constexpr double kHalfPi = 1.5707963267948966;
  if (std::abs(z) < 0.01) {
    // Taylor series; the first term left out is below 1e-17.
    return 1 + z * (1.0 / 3 +
                    z * (2.0 / 15 + z * (17.0 / 315 + z * (62.0 / 2835 +
                                                           z * (1382.0 / 155925 + z * (21844.0 / 6081075 +
                                                                                       z * (929569.0 / 638512875)))))));
  }
  const double root = std::sqrt(std::abs(z));
  if (z < 0) return std::tanh(root) / root;
  return root < kHalfPi ? std::tan(root) / root : kInfinity;
}

}  // namespace

double riccati_step(double y, double A, double B, double D, double h) {
  const double middle = -0.5 * B / A;
  const double q = D + 0.5 * B * middle;  // D - B^2 / (4 A)
  const double T = h * tangent_ratio(A * q * h * h);
  const double x = y - middle;
  if (T == kInfinity) return kInfinity;
  const double below = 1 - A * x * T;
  return below > 0 ? middle + (x + q * T) / below : kInfinity;
}

IzhikevichNeurons::IzhikevichNeurons(const network::IzhikevichModel& model, const NeuronSetup& setup)
    : model_(model), dt_ms_(setup.dt_ms), V_mV_(setup.cells, model.V_rest_mV), u_nA_(setup.cells, model.u_init_nA) {}

void IzhikevichNeurons::step(std::size_t begin, std::size_t end, const StepInput& input,
                             std::vector<std::uint32_t>& spikes) {
  const network::IzhikevichModel& m = model_;
  const double A = m.k_uS_per_mV / m.C_m_nF;
  const double product = m.k_uS_per_mV * m.V_rest_mV * m.V_T_mV;
  const double kept = std::exp(-m.a_per_ms * dt_ms_), kept_half = std::exp(-0.5 * m.a_per_ms * dt_ms_);
  for (std::size_t i = begin; i < end; ++i) {
    const double G = input.G_uS.empty() ? 0.0 : input.G_uS[i];
    const double J = product + input.I_nA[i] + (input.G_uS.empty() ? 0.0 : input.GE_nA[i]);
    const double B = -(m.k_uS_per_mV * (m.V_rest_mV + m.V_T_mV) + G) / m.C_m_nF;
    const double V = V_mV_[i], u = u_nA_[i];
    const double V_middle = std::fmin(riccati_step(V, A, B, (J - u) / m.C_m_nF, 0.5 * dt_ms_), m.V_peak_mV);
    const double u_middle = u * kept_half + (1 - kept_half) * m.b_uS * (V - m.V_rest_mV);
    double V_next = riccati_step(V, A, B, (J - u_middle) / m.C_m_nF, dt_ms_);
    double u_next = u * kept + (1 - kept) * m.b_uS * (V_middle - m.V_rest_mV);
    if (!input.arrivals_at_end.empty()) V_next += input.arrivals_at_end[i];
    if (std::isnan(V_next)) throw NonFinite{i, "v"};
    if (!std::isfinite(u_next)) throw NonFinite{i, "u"};
    if (V_next >= m.V_peak_mV) {
      spikes.push_back(static_cast<std::uint32_t>(i));
      V_next = m.c_mV;
      u_next += m.d_nA;
    }
    if (!std::isfinite(V_next)) throw NonFinite{i, "v"};
    V_mV_[i] = V_next;
    u_nA_[i] = u_next;
  }
}

std::span<const double> IzhikevichNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "u") return u_nA_;
  return {};
}

}  // namespace triscale::pointneuron
