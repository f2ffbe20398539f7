#include "bridges/cable/impedance.hpp"

namespace triscale::bridges {

TreeImpedance tree_impedance(std::span<const std::int32_t> parents, std::span<const double> g_axial_uS,
                             std::span<const Complex> membrane_uS, std::size_t target) {
  const std::size_t n = parents.size();
  const auto parent = [&](std::size_t i) { return static_cast<std::size_t>(parents[i]); };
  std::vector<Complex> A(membrane_uS.begin(), membrane_uS.end());
  std::vector<Complex> branch(n);  // what a child adds to its parent
  for (std::size_t i = n; i-- > 1;) {
    branch[i] = g_axial_uS[i] * A[i] / (g_axial_uS[i] + A[i]);
    A[parent(i)] += branch[i];
  }
  std::vector<Complex> U(n), rest(n);  // rest: seen at the parent without the branch of this node
  TreeImpedance out;
  out.input_MOhm.resize(n);
  out.input_MOhm[0] = 1.0 / A[0];
  for (std::size_t i = 1; i < n; ++i) {
    rest[i] = A[parent(i)] - branch[i] + U[parent(i)];
    U[i] = g_axial_uS[i] * rest[i] / (g_axial_uS[i] + rest[i]);
    out.input_MOhm[i] = 1.0 / (A[i] + U[i]);
  }
  // From the target to the root, then outwards from the path.
  std::vector<char> done(n, 0);
  out.transfer_MOhm.resize(n);
  out.transfer_MOhm[target] = out.input_MOhm[target];
  done[target] = 1;
  for (std::size_t i = target; i != 0; i = parent(i)) {
    out.transfer_MOhm[parent(i)] = out.transfer_MOhm[i] * g_axial_uS[i] / (g_axial_uS[i] + rest[i]);
    done[parent(i)] = 1;
  }
  for (std::size_t i = 1; i < n; ++i) {
    if (done[i]) continue;
    out.transfer_MOhm[i] = out.transfer_MOhm[parent(i)] * g_axial_uS[i] / (g_axial_uS[i] + A[i]);
  }
  return out;
}

std::vector<double> solve_tree(std::span<const std::int32_t> parents, std::span<const double> g_axial_uS,
                               std::span<const double> membrane_uS, std::span<const double> b) {
  const std::size_t n = parents.size();
  std::vector<double> d(membrane_uS.begin(), membrane_uS.end()), x(b.begin(), b.end());
  for (std::size_t i = 1; i < n; ++i) {
    d[i] += g_axial_uS[i];
    d[static_cast<std::size_t>(parents[i])] += g_axial_uS[i];
  }
  for (std::size_t i = n; i-- > 1;) {
    const auto p = static_cast<std::size_t>(parents[i]);
    const double factor = g_axial_uS[i] / d[i];
    d[p] -= factor * g_axial_uS[i];
    x[p] += factor * x[i];
  }
  x[0] /= d[0];
  for (std::size_t i = 1; i < n; ++i) x[i] = (x[i] + g_axial_uS[i] * x[static_cast<std::size_t>(parents[i])]) / d[i];
  return x;
}

}  // namespace triscale::bridges
