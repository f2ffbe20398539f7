// Forward models against LFPykit, element by element; reference/forward_models_lfpykit.py made the values.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>

#include "measure/current_source_density.hpp"
#include "measure/dipole.hpp"
#include "measure/extracellular.hpp"
#include "measure/head_model.hpp"
#include "measure/magnetic.hpp"
#include "measure/vectors.hpp"
#include "tests/paths.hpp"

namespace triscale::measure {
namespace {

using nlohmann::json;

class Lfpykit : public testing::Test {
 protected:
  Lfpykit() {
    std::ifstream file(std::filesystem::path(tests::source_dir()) /
                       "tests/validation/reference/forward_models_lfpykit.json");
    reference_ = json::parse(file);
    const auto starts = reference_["start_um"].get<std::vector<Vec3>>(),
               ends = reference_["end_um"].get<std::vector<Vec3>>();
    const auto diameters = reference_["diameter_um"].get<std::vector<double>>();
    for (std::size_t s = 0; s < starts.size(); ++s) segments_.push_back({starts[s], ends[s], diameters[s]});
    for (const Vec3& r : reference_["electrodes_um"].get<std::vector<Vec3>>()) contacts_.push_back({r});
  }

  std::vector<double> weights(const core::ForwardModel& model) const {
    std::vector<double> weights(segments_.size() * model.components());
    model.weights({segments_, 1, {}}, weights);
    return weights;
  }
  /// Values of LFPykit stand by segment and channel, as the weights do.
  void expect_equal(const core::ForwardModel& model, const std::string& name, double relative) const {
    const std::vector<double> ours = weights(model);
    const auto theirs = reference_[name].get<std::vector<std::vector<double>>>();
    for (std::size_t s = 0; s < segments_.size(); ++s) {
      for (std::size_t c = 0; c < model.components(); ++c) {
        EXPECT_NEAR(ours[s * model.components() + c], theirs[s][c], relative * std::abs(theirs[s][c]))
            << name << ", segment " << s << ", channel " << c;
      }
    }
  }

  json reference_;
  std::vector<core::Segment> segments_;
  std::vector<std::vector<Vec3>> contacts_;
};

// The same formulas in another order of operations.
constexpr double kRounding = 1e-10;

TEST_F(Lfpykit, PotentialsOfPointsAndLines) {
  const Medium medium(0.3);
  expect_equal(ExtracellularModel(contacts_, SourceModel::point, medium), "point", kRounding);
  expect_equal(ExtracellularModel(contacts_, SourceModel::line, medium), "line", kRounding);
  expect_equal(ExtracellularModel(contacts_, SourceModel::soma_point, medium), "root_as_point", kRounding);
}

TEST_F(Lfpykit, PotentialsInAnAnisotropicMedium) {
  const Medium medium(reference_["anisotropic_S_m"].get<Vec3>());
  expect_equal(ExtracellularModel(contacts_, SourceModel::point, medium), "anisotropic_point", kRounding);
  expect_equal(ExtracellularModel(contacts_, SourceModel::line, medium), "anisotropic_line", kRounding);
}

TEST_F(Lfpykit, DipoleMoment) {
  const std::vector<double> ours = weights(DipoleModel());
  const auto theirs = reference_["dipole"].get<std::vector<std::vector<double>>>();
  for (std::size_t s = 0; s < segments_.size(); ++s) {
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(ours[3 * s + k], theirs[s][k], 1e-12);
  }
}

TEST_F(Lfpykit, CurrentSourceDensityInBoxes) {
  const auto edges = reference_["box_edges_um"].get<std::vector<double>>();
  std::vector<CsdVolume> volumes;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    for (std::size_t j = 0; j + 1 < edges.size(); ++j) {
      for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
        volumes.push_back({{edges[i], edges[j], edges[k]}, {edges[i + 1], edges[j + 1], edges[k + 1]}, -1});
      }
    }
  }
  const std::vector<double> ours = weights(CsdModel(volumes));
  const auto theirs = reference_["csd"].get<std::vector<std::vector<double>>>();
  ASSERT_EQ(theirs.size(), volumes.size());
  for (std::size_t s = 0; s < segments_.size(); ++s) {
    for (std::size_t c = 0; c < volumes.size(); ++c) {
      // LFPykit gives the share itself, without the volume, and counts points along the segment.
      EXPECT_NEAR(ours[s * volumes.size() + c] * volumes[c].volume_um3(), theirs[c][s], 0.02);
    }
  }
}

TEST_F(Lfpykit, FourSphereHead) {
  const FourSphereHead head({79000, 80000, 85000, 90000}, {0.3, 1.5, 0.015, 0.3});
  const json& values = reference_["head"];
  const auto electrodes = values["electrodes_um"].get<std::vector<Vec3>>(),
             dipoles = values["dipoles_um"].get<std::vector<Vec3>>();
  for (std::size_t d = 0; d < dipoles.size(); ++d) {
    const auto theirs = values["lead_field_mV"][d].get<std::vector<Vec3>>();
    for (std::size_t e = 0; e < electrodes.size(); ++e) {
      const Vec3 ours = head.lead_field_mV(electrodes[e], dipoles[d]);
      // LFPykit ends its series early; against the limit of its own recursion (3000 terms), which the values here meet
      // in all digits, it is 2e-8 ... 7e-7 off, and 2e-5 where dipole and electrode are both within 1 mm of the brain's
      // surface.
      for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(ours[k], theirs[e][k], 3e-5 * norm(theirs[e])) << d << " " << e;
    }
  }
}

TEST_F(Lfpykit, MagneticFields) {
  const json& values = reference_["meg"];
  const auto sensors = values["sensors_um"].get<std::vector<Vec3>>();
  const auto dipole = values["dipole_um"].get<Vec3>();
  // LFPykit gives H in nA/um: B = mu_0 H, with mu_0/(4 pi) as in measure/dipole.hpp.
  constexpr double kField = 4 * std::numbers::pi * kFemtoteslaPerDipole;
  for (std::size_t s = 0; s < sensors.size(); ++s) {
    const auto sphere = values["sphere_nA_um"][s].get<std::vector<Vec3>>();
    const auto infinite = values["infinite_nA_um"][s].get<std::vector<Vec3>>();
    for (std::size_t k = 0; k < 3; ++k) {
      Vec3 unit{};
      unit[k] = 1;
      const Vec3 in_sphere = sphere_field_fT(unit, sensors[s], dipole),
                 alone = dipole_field_fT(unit, sensors[s] - dipole);
      for (std::size_t axis = 0; axis < 3; ++axis) {
        EXPECT_NEAR(in_sphere[axis], kField * sphere[axis][k], 1e-10 * norm(in_sphere));
        EXPECT_NEAR(alone[axis], kField * infinite[axis][k], 1e-10 * norm(alone));
      }
    }
  }
}

}  // namespace
}  // namespace triscale::measure
