#include "io/recipe_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numbers>
#include <optional>

#include "core/random.hpp"
#include "io/csv.hpp"
#include "io/many_problems.hpp"
#include "io/recipe.hpp"

namespace triscale::io {

namespace {

constexpr const char* kPositionColumns[] = {"x_um", "y_um", "z_um"};
constexpr const char* kRotationColumns[] = {"rotation_x_rad", "rotation_y_rad", "rotation_z_rad"};

CsvTable read_table(const std::filesystem::path& path, const std::vector<std::string>& required,
                    const std::vector<std::string>& optional, core::Diagnostics& diagnostics) {
  core::Diagnostics with_spaces;
  CsvTable table = read_csv(path, with_spaces, ' ');
  const bool commas = table.columns.size() == 1 && table.columns[0].find(',') != std::string::npos;
  if (commas || !with_spaces.ok()) table = read_csv(path, diagnostics, commas ? ',' : ' ');
  if (table.columns.empty()) return table;  // reported
  std::string known;
  for (const auto* names : {&required, &optional}) {
    for (const std::string& name : *names) known += (known.empty() ? "" : ", ") + name;
  }
  for (const std::string& name : required) {
    if (table.column(name)) continue;
    diagnostics.error({table.file, "header", "", "must have a column " + name, "columns: " + known});
  }
  for (const std::string& name : table.columns) {
    const auto is = [&](const std::string& other) { return other == name; };
    if (std::any_of(required.begin(), required.end(), is) || std::any_of(optional.begin(), optional.end(), is))
      continue;
    diagnostics.error({table.file, "header", name, "must be a known column", "columns: " + known});
  }
  return table;
}

/// Numbers of one column; `otherwise` where there is no such column.
class Column {
 public:
  Column(const CsvTable& table, std::string name, double otherwise, ManyProblems& problems)
      : table_(table),
        name_(std::move(name)),
        present_(table.column(name_).has_value()),
        otherwise_(otherwise),
        problems_(problems) {}

  double number(std::size_t row) const {
    if (!present_) return otherwise_;
    const std::string text = table_.field(row, name_).value_or("");
    const auto value = parse_number(text);
    if (!value) problems_.add({table_.file, table_.place(row, name_), text, "must be a number", ""});
    return value.value_or(otherwise_);
  }

  std::uint32_t index(std::size_t row) const {
    const std::string text = table_.field(row, name_).value_or("");
    const auto value = parse_id(text);
    const bool fits = value && *value < 0xffffffffu;
    if (!fits) problems_.add({table_.file, table_.place(row, name_), text, "must be a cell's index, from 0 on", ""});
    return fits ? static_cast<std::uint32_t>(*value) : 0;
  }

 private:
  const CsvTable& table_;
  std::string name_;
  bool present_;
  double otherwise_;
  ManyProblems& problems_;
};

std::vector<network::Placement> positions_of_file(const std::filesystem::path& path, std::size_t size,
                                                  core::Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors().size();
  const CsvTable table = read_table(path, {std::begin(kPositionColumns), std::end(kPositionColumns)},
                                    {std::begin(kRotationColumns), std::end(kRotationColumns)}, diagnostics);
  if (diagnostics.errors().size() > before) return {};
  if (table.rows.size() != size) {
    diagnostics.error({table.file, "", fmt::format("{} rows", table.rows.size()),
                       fmt::format("must have one row for each of the {} cells", size), ""});
    return {};
  }
  ManyProblems problems(diagnostics);
  std::vector<Column> columns;
  for (const char* name : kPositionColumns) columns.emplace_back(table, name, 0.0, problems);
  for (const char* name : kRotationColumns) columns.emplace_back(table, name, 0.0, problems);
  std::vector<network::Placement> placements(size);
  for (std::size_t row = 0; row < size; ++row) {
    placements[row] = {columns[0].number(row), columns[1].number(row), columns[2].number(row),
                       columns[3].number(row), columns[4].number(row), columns[5].number(row)};
  }
  return placements;
}

/// Index of x, y or z; nothing and an error for anything else.
std::optional<std::size_t> axis_of(const JsonObject& json, const std::string& key) {
  const auto text = json.text(key);
  if (!text) return std::nullopt;
  const std::size_t axis = text->size() == 1 ? std::string("xyz").find(*text) : std::string::npos;
  if (axis != std::string::npos) return axis;
  json.error(key, "must be x, y or z");
  return std::nullopt;
}

std::optional<std::array<double, 3>> corner_of(const JsonObject& json, const std::string& key) {
  const std::vector<double> values = json.numbers(key);
  if (values.size() == 3) return std::array{values[0], values[1], values[2]};
  json.error(key, "must be three numbers, x, y, z", "or give a file instead of a volume");
  return std::nullopt;
}

/// A point in the unit cube; with an axis, in the cylinder along it that touches the cube's sides.
std::array<double, 3> point_in_unit(core::RandomStream& random, std::optional<std::size_t> axis) {
  while (true) {
    std::array<double, 3> point{};
    for (double& x : point) x = random.next_uniform();
    if (!axis) return point;
    double distance = 0;
    for (std::size_t k = 0; k < 3; ++k) distance += k == *axis ? 0 : (point[k] - 0.5) * (point[k] - 0.5);
    if (distance <= 0.25) return point;
  }
}

}  // namespace

std::vector<network::Placement> read_positions(const JsonObject& json, const std::filesystem::path& folder,
                                               std::size_t size, std::uint64_t seed, std::size_t population,
                                               core::Diagnostics& diagnostics) {
  if (const auto file = json.text("file")) {
    json.reject_unread(recipe_keys().at("positions"));
    return positions_of_file(folder / *file, size, diagnostics);
  }
  const auto low_um = corner_of(json, "low_um"), high_um = corner_of(json, "high_um");
  const auto cylinder = axis_of(json, "cylinder_axis"), turned = axis_of(json, "random_rotation_about");
  json.reject_unread(recipe_keys().at("positions"));
  if (!low_um || !high_um) return {};
  const std::array<double, 3>&low = *low_um, &high = *high_um;
  for (std::size_t k = 0; k < 3; ++k) {
    if (!(low[k] <= high[k])) json.error("low_um", "must not be above high_um");
  }
  std::vector<network::Placement> placements(size);
  for (std::size_t cell = 0; cell < size; ++cell) {
    core::RandomStream random(seed, core::Purpose::position, (static_cast<std::uint64_t>(population) << 32) | cell);
    const double angle_rad = 2 * std::numbers::pi * random.next_uniform();
    const std::array<double, 3> point = point_in_unit(random, cylinder);
    const auto at = [&](std::size_t k) { return low[k] + (high[k] - low[k]) * point[k]; };
    const auto rotation = [&](std::size_t k) { return turned == k ? angle_rad : 0.0; };
    placements[cell] = {at(0), at(1), at(2), rotation(0), rotation(1), rotation(2)};
  }
  return placements;
}

network::ExplicitEdges read_edges_table(const std::filesystem::path& path, const std::string& weight_column,
                                        bool has_delay, const SectionNames& sections, core::Diagnostics& diagnostics) {
  std::vector<std::string> required = {"source", "target", weight_column};
  if (has_delay) required.push_back("delay_ms");
  const std::size_t before = diagnostics.errors().size();
  const CsvTable table = read_table(path, required, {"section", "position"}, diagnostics);
  network::ExplicitEdges edges;
  if (diagnostics.errors().size() > before) return edges;
  ManyProblems problems(diagnostics);
  const Column source(table, "source", 0, problems), target(table, "target", 0, problems);
  const Column weight(table, weight_column, 0, problems), delay(table, "delay_ms", 0, problems);
  const Column position(table, "position", 0.5, problems);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    edges.sources.push_back(source.index(row));
    edges.targets.push_back(target.index(row));
    edges.weights.push_back(weight.number(row));
    edges.delays_ms.push_back(delay.number(row));
    if (!table.column("section")) continue;
    const std::string text = table.field(row, "section").value_or("");
    const auto named = sections.find(text);
    const auto index = parse_id(text);
    if (named == sections.end() && !index) {
      problems.add({table.file, table.place(row, "section"), text,
                    "must be the name of a section of the target's cell type, or its index", ""});
    }
    edges.sites.push_back({named != sections.end() ? named->second : static_cast<std::uint32_t>(index.value_or(0)),
                           position.number(row)});
  }
  if (table.column("position") && !table.column("section")) {
    diagnostics.error({table.file, "header", "position", "has no effect without a column section", ""});
  }
  return edges;
}

}  // namespace triscale::io
