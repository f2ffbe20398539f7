/// Impedances of a tree of compartments whose membrane is linear: exact, by elimination along the tree on complex
/// numbers (Hines 1984, Int J Biomed Comput 15:69; the input admittances of subtrees as in Koch & Poggio 1985, J
/// Neurosci Methods 12:303), in time proportional to the number of compartments.
///
/// With y_i the membrane admittance of node i and g_i the axial conductance to its parent,
///   towards the root:  A_i = y_i + sum over children c of  g_c A_c / (g_c + A_c)
///   from the root:     U_c = g_c P / (g_c + P),  P = everything at the parent except the branch of c
///   Z_ii = 1 / (A_i + U_i);  along an edge the potential falls by g_c/(g_c + A_c) away from the root, g_c/(g_c + P)
///   towards it.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace triscale::bridges {

using Complex = std::complex<double>;

struct TreeImpedance {
  std::vector<Complex> input_MOhm;     ///< Z_ii of every node
  std::vector<Complex> transfer_MOhm;  ///< Z between every node and `target` (either direction: the tree is reciprocal)
};

/// Parents come before children; parents[0] = -1. Admittances and conductances in uS.
TreeImpedance tree_impedance(std::span<const std::int32_t> parents, std::span<const double> g_axial_uS,
                             std::span<const Complex> membrane_uS, std::size_t target);

/// Solves  y_i x_i + sum over neighbours j of g_ij (x_i - x_j) = b_i  on the tree.
std::vector<double> solve_tree(std::span<const std::int32_t> parents, std::span<const double> g_axial_uS,
                               std::span<const double> membrane_uS, std::span<const double> b);

}  // namespace triscale::bridges
