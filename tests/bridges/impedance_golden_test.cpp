/// Impedances of three V1 cells against NEURON's (reference/impedance_golden.csv).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "bridges/cable/quasi_active.hpp"
#include "tests/bridges/v1_cells.hpp"
#include "tests/paths.hpp"

namespace triscale::bridges {
namespace {

struct GoldenRow {
  std::string cell;
  network::Site site;
  double frequency_Hz = 0;
  Channels channels = Channels::frozen;
  double V_rest_mV = 0;
  Complex input_MOhm, transfer_MOhm;
};

std::vector<GoldenRow> read_golden() {
  std::ifstream file(std::string(tests::shared_dir()) + "/reference/impedance_golden.csv");
  std::vector<GoldenRow> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> field;
    std::stringstream stream(line);
    for (std::string part; std::getline(stream, part, ',');) field.push_back(part);
    GoldenRow row;
    row.cell = field.at(0);
    row.site = {static_cast<std::uint32_t>(std::stoul(field.at(1))), std::stod(field.at(2))};
    row.frequency_Hz = std::stod(field.at(3));
    row.channels = field.at(4) == "1" ? Channels::linearised : Channels::frozen;
    row.V_rest_mV = std::stod(field.at(5));
    row.input_MOhm = std::polar(std::stod(field.at(6)), std::stod(field.at(7)));
    row.transfer_MOhm = std::polar(std::stod(field.at(8)), std::stod(field.at(9)));
    rows.push_back(row);
  }
  return rows;
}

TEST(QuasiActiveCell, EqualsNeuronsImpedancesOfTheV1Cells) {
  if (!test::v1_cells_present()) GTEST_SKIP() << "needs the shared V1 cells";
  network::RunSettings run;
  run.compartments.max_length_um = 20;
  run.celsius = 34;
  std::map<std::string, QuasiActiveCell> cells;
  for (const test::V1Cell& cell : test::kV1Cells)
    cells.emplace(cell.name, QuasiActiveCell(test::read_v1_cell(cell), run));
  const std::vector<GoldenRow> rows = read_golden();
  ASSERT_GT(rows.size(), 300u);
  // NEURON's values were taken before the slowest gates had come to rest, up to 3e-4 mV from the limit (below), which
  // is all that the differences with frozen gates (2.4e-5) come from. Its linearisation of the gates is less exact: it
  // differs by up to 5e-4 from the slope dV/dI that NEURON itself settles to, which ours equals (next test).
  constexpr double kRest_mV = 3e-4;
  double sum = 0;
  for (const GoldenRow& row : rows) {
    const QuasiActiveCell& cell = cells.at(row.cell);
    EXPECT_NEAR(cell.V_soma_mV(), row.V_rest_mV, kRest_mV) << row.cell;
    const TreeImpedance z = cell.impedance(row.frequency_Hz, row.channels);
    const double kRelative = row.channels == Channels::frozen ? 3e-5 : 5e-4;
    const std::size_t node = cell.tree().node_at(row.site);
    const double input = std::abs(z.input_MOhm[node] / row.input_MOhm - 1.0);
    const double transfer = std::abs(z.transfer_MOhm[node] / row.transfer_MOhm - 1.0);
    sum += input + transfer;
    EXPECT_LT(input, kRelative) << row.cell << " section " << row.site.section << " " << row.frequency_Hz << " Hz";
    EXPECT_LT(transfer, kRelative) << row.cell << " section " << row.site.section << " " << row.frequency_Hz << " Hz";
  }
  EXPECT_LT(sum / (2 * static_cast<double>(rows.size())), 1e-4);
}

/// What NEURON 8.2.2 gives after 60 s without input: the potential, the input impedance at 0 Hz with frozen gates, and
/// the change of the settled potential with a current of +-1e-5 nA, which needs no linearisation.
struct Settled {
  const char* cell;
  double V_mV, frozen_MOhm, dV_dI_MOhm;
};
constexpr Settled kSettled[] = {{"Scnn1a", -92.10058047440586, 416.910477, 399.25537572},
                                {"PV1", -95.27180416103434, 0, 321.63446189},
                                {"Nr5a1", -89.26103539758643, 0, 0}};

TEST(QuasiActiveCell, EqualsNeuronOnceNeuronHasSettled) {
  if (!test::v1_cells_present()) GTEST_SKIP() << "needs the shared V1 cells";
  network::RunSettings run;
  run.compartments.max_length_um = 20;
  run.celsius = 34;
  for (const Settled& settled : kSettled) {
    const auto found = std::find_if(test::kV1Cells.begin(), test::kV1Cells.end(),
                                    [&](const test::V1Cell& cell) { return settled.cell == std::string(cell.name); });
    ASSERT_NE(found, test::kV1Cells.end());
    const QuasiActiveCell cell(test::read_v1_cell(*found), run);
    EXPECT_NEAR(cell.V_soma_mV(), settled.V_mV, 1e-10) << settled.cell;
    const auto input = [&](Channels channels) {
      return cell.impedance(0, channels).input_MOhm[cell.tree().soma()].real();
    };
    // NEURON differentiates with a one-sided step of 1e-3 mV, which limits the frozen value.
    if (settled.frozen_MOhm > 0) {
      EXPECT_NEAR(input(Channels::frozen) / settled.frozen_MOhm, 1.0, 3e-7) << settled.cell;
    }
    if (settled.dV_dI_MOhm > 0) {
      EXPECT_NEAR(input(Channels::linearised) / settled.dV_dI_MOhm, 1.0, 1e-8) << settled.cell;
    }
  }
}

}  // namespace
}  // namespace triscale::bridges
