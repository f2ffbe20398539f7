/// A tree of compartments with linear membranes, solved for many right-hand sides at once:
///   y_i x_i + sum over neighbours j of g_ij (x_i - x_j) = b_i
/// at one complex frequency, by elimination from the tips to the root and back (Hines 1984, Int J Biomed Comput 15:69).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bridges/cable/impedance.hpp"

namespace triscale::bridges {

class LinearTree {
 public:
  /// As for tree_impedance(): parents before children, parents[0] = -1; admittances and conductances in uS.
  LinearTree(std::span<const std::int32_t> parents, std::span<const double> g_axial_uS);

  void factorise(std::span<const Complex> membrane_uS);
  /// b and x: [node][column], real and imaginary parts apart (they are added and multiplied in long loops). In place.
  void solve(std::size_t columns, std::span<double> real, std::span<double> imaginary) const;

  std::size_t size() const { return parents_.size(); }

 private:
  std::vector<std::size_t> parents_;
  std::vector<double> g_uS_;
  std::vector<Complex> up_;       ///< g / d: what of a child's right-hand side goes to its parent
  std::vector<Complex> inverse_;  ///< 1 / d
};

}  // namespace triscale::bridges
