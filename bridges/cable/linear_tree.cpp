#include "bridges/cable/linear_tree.hpp"

namespace triscale::bridges {

namespace {

/// (re, im) += f (from_re, from_im), column by column.
void add_scaled(Complex f, const double* from_re, const double* from_im, double* re, double* im, std::size_t n) {
  const double a = f.real(), b = f.imag();
  for (std::size_t c = 0; c < n; ++c) {
    re[c] += a * from_re[c] - b * from_im[c];
    im[c] += a * from_im[c] + b * from_re[c];
  }
}

void scale(Complex f, double* re, double* im, std::size_t n) {
  const double a = f.real(), b = f.imag();
  for (std::size_t c = 0; c < n; ++c) {
    const double x = re[c], y = im[c];
    re[c] = a * x - b * y;
    im[c] = a * y + b * x;
  }
}

}  // namespace

LinearTree::LinearTree(std::span<const std::int32_t> parents, std::span<const double> g_axial_uS)
    : parents_(parents.size()),
      g_uS_(g_axial_uS.begin(), g_axial_uS.end()),
      up_(parents.size()),
      inverse_(parents.size()) {
  for (std::size_t i = 1; i < parents.size(); ++i) parents_[i] = static_cast<std::size_t>(parents[i]);
}

void LinearTree::factorise(std::span<const Complex> membrane_uS) {
  const std::size_t n = size();
  std::vector<Complex> d(membrane_uS.begin(), membrane_uS.end());
  for (std::size_t i = 1; i < n; ++i) {
    d[i] += g_uS_[i];
    d[parents_[i]] += g_uS_[i];
  }
  for (std::size_t i = n; i-- > 0;) {
    inverse_[i] = 1.0 / d[i];
    if (i == 0) break;
    up_[i] = g_uS_[i] * inverse_[i];
    d[parents_[i]] -= up_[i] * g_uS_[i];
  }
}

void LinearTree::solve(std::size_t columns, std::span<double> real, std::span<double> imaginary) const {
  const std::size_t n = size();
  const auto re = [&](std::size_t i) { return real.data() + i * columns; };
  const auto im = [&](std::size_t i) { return imaginary.data() + i * columns; };
  for (std::size_t i = n; i-- > 1;) add_scaled(up_[i], re(i), im(i), re(parents_[i]), im(parents_[i]), columns);
  scale(inverse_[0], re(0), im(0), columns);
  for (std::size_t i = 1; i < n; ++i) {
    scale(inverse_[i], re(i), im(i), columns);
    add_scaled(up_[i], re(parents_[i]), im(parents_[i]), re(i), im(i), columns);
  }
}

}  // namespace triscale::bridges
