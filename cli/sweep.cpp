#include "cli/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/axis.hpp"
#include "cli/commands.hpp"
#include "cli/compare.hpp"
#include "cli/derive.hpp"
#include "cli/load.hpp"
#include "cli/report.hpp"
#include "cli/run_tier.hpp"
#include "core/error.hpp"
#include "io/atomic_file.hpp"
#include "io/consistency_json.hpp"
#include "io/json_value.hpp"
#include "io/reduced.hpp"

namespace triscale::cli {

namespace {

using io::JsonValue;
using List = JsonValue::List;
using Members = JsonValue::Members;

enum class Status { pending, done, failed };

struct Point {
  std::vector<double> values;  ///< of the axes
  std::string folder;          ///< below DIR
  Status status = Status::pending;
  std::string problem;  ///< of a failed one
  std::optional<measure::Consistency> consistency;
};

std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<Axis> axes_of(const Options& options) {
  if (options.sweep.size() > 2) {
    throw core::InputError({"", "--sweep", "", "takes one or two parameters", "--sweep KEY=a:b:n,KEY=a:b:n"});
  }
  std::vector<Axis> axes;
  for (const std::string& text : options.sweep) axes.push_back(axis_of("--sweep", text));
  if (axes.size() == 2 && axes[0].key == axes[1].key) {
    throw core::InputError({"", "--sweep", axes[0].key, "must name two different parameters", ""});
  }
  return axes;
}

/// The first axis runs fastest.
std::vector<Point> grid_of(const std::vector<Axis>& axes) {
  std::vector<Point> points;
  const std::vector<double> outer = axes.size() > 1 ? axes[1].values : std::vector<double>{0};
  for (const double second : outer) {
    for (const double first : axes[0].values) {
      Point point;
      point.values = axes.size() > 1 ? std::vector{first, second} : std::vector{first};
      point.folder = fmt::format("points/{:03}", points.size());
      points.push_back(std::move(point));
    }
  }
  return points;
}

std::vector<std::string> settings_of(const std::vector<Axis>& axes, const Point& point) {
  std::vector<std::string> settings;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    settings.push_back(fmt::format("{}={:.12g}", axes[k].key, point.values[k]));
  }
  return settings;
}

/// What a point's result depends on: the same text means that it need not be computed again.
std::string identity_of(const Options& options) {
  std::vector<std::string> tiers;
  for (const Tier tier : options.tiers) tiers.emplace_back(to_string(tier));
  const auto shown = [](const auto& value) { return value ? fmt::format("{}", *value) : std::string("-"); };
  return fmt::format(
      "triscale {}\n{}\nsettings {}\ntiers {}\nduration {} dt {} seed {} seeds {} responses {}\n"
      "reduced {:x}\n",
      TRISCALE_VERSION, options.config.string(), fmt::join(options.settings, " "), fmt::join(tiers, ","),
      shown(options.duration_ms), shown(options.dt_ms), shown(options.seed), options.seeds, options.responses,
      options.reduced.empty() ? 0 : std::hash<std::string>{}(read_text(options.reduced)));
}

const char* text_of(Status status) {
  return status == Status::done ? "done" : status == Status::failed ? "failed" : "pending";
}

JsonValue json_of(const Point& point) {
  Members members = {{"values", JsonValue(List(point.values.begin(), point.values.end()))},
                     {"folder", point.folder},
                     {"status", std::string(text_of(point.status))}};
  if (!point.problem.empty()) members.push_back({"problem", point.problem});
  if (point.consistency) members.push_back({"verdict", std::string(to_string(point.consistency->verdict))});
  return JsonValue(members);
}

void write_sweep(const Options& options, const std::vector<Axis>& axes, const std::vector<Point>& points) {
  List axis_list, point_list;
  for (const Axis& axis : axes) {
    axis_list.push_back(
        Members{{"key", axis.key}, {"values", JsonValue(List(axis.values.begin(), axis.values.end()))}});
  }
  for (const Point& point : points) point_list.push_back(json_of(point));
  const JsonValue sweep = Members{{"config", options.config.string()},
                                  {"derived", std::string(options.derive_each ? "each" : "once")},
                                  {"axes", axis_list},
                                  {"points", point_list}};
  io::write_json(options.output / "sweep.json", sweep);
}

/// The descriptions that all points share, in DIR/reduced.json; they are kept when the sweep is continued.
std::filesystem::path derive_base(const Options& options) {
  const std::filesystem::path file = options.output / "reduced.json", stamp = options.output / "base.txt";
  const std::string identity = identity_of(options);
  if (std::filesystem::exists(file) && read_text(stamp) == identity) return file;
  LoadedCircuit loaded = load(options);
  const bool meanfield = options.tiers.back() == Tier::meanfield;
  const bool point = meanfield || options.tiers.back() == Tier::point;
  print_left_out(derive_missing(loaded, point, meanfield, options));
  io::write_reduced(file, loaded.circuit, loaded.derivation);
  io::write_text_file(stamp, identity);
  return file;
}

/// A wrong key or a value that no point can take is told before anything is computed.
void require_settable(const Options& options, const std::vector<Axis>& axes, const std::vector<Point>& points) {
  for (const Point* point : {&points.front(), &points.back()}) {
    Options here = options;
    for (std::string& setting : settings_of(axes, *point)) here.settings.push_back(std::move(setting));
    load(here);
  }
}

void compare_point(const Options& options, Point& point) {
  const std::filesystem::path stamp = options.output / "point.txt", result = options.output / "consistency.json";
  const std::string identity = identity_of(options);
  try {
    if (std::filesystem::exists(result) && read_text(stamp) == identity) {
      point.consistency = io::read_consistency(result);
    } else {
      std::error_code ignored;
      std::filesystem::remove(stamp, ignored);
      point.consistency = compare_tiers(options);
      io::write_text_file(stamp, identity);
    }
    point.status = Status::done;
  } catch (const core::InputError& error) {
    point.status = Status::failed;
    for (const core::Problem& problem : error.problems()) {
      point.problem += (point.problem.empty() ? "" : "; ") + core::to_string(problem);
    }
  } catch (const core::NumericalError& error) {
    point.status = Status::failed;
    point.problem = error.what();
  }
}

void print_point(const std::vector<std::string>& settings, const Point& point) {
  if (!point.consistency) {
    fmt::print("{:<48} failed: {}\n", fmt::join(settings, ", "), point.problem);
    return;
  }
  std::size_t counts[3] = {0, 0, 0};
  for (const measure::ConsistencyCheck& check : point.consistency->checks) ++counts[static_cast<int>(check.verdict)];
  fmt::print("{:<48} {:<14} {} consistent, {} inconsistent, {} undecided\n", fmt::to_string(fmt::join(settings, ", ")),
             to_string(point.consistency->verdict), counts[0], counts[1], counts[2]);
}

}  // namespace

int sweep(const Options& options) {
  const std::vector<Axis> axes = axes_of(options);
  std::vector<Point> points = grid_of(axes);
  require_settable(options, axes, points);
  prepare_folder(options.output);
  Options of_points = options;
  of_points.sweep.clear();
  if (options.reduced.empty() && !options.derive_each) of_points.reduced = derive_base(options);
  write_sweep(options, axes, points);
  bool inconsistent = false, any = false;
  for (std::size_t k = 0; k < points.size(); ++k) {
    throw_if_interrupted();
    Options here = of_points;
    const std::vector<std::string> settings = settings_of(axes, points[k]);
    here.settings.insert(here.settings.end(), settings.begin(), settings.end());
    here.output = options.output / points[k].folder;
    prepare_folder(here.output);
    if (!options.quiet) fmt::print(stderr, "point {} of {}: {}\n", k + 1, points.size(), fmt::join(settings, ", "));
    compare_point(here, points[k]);
    print_point(settings, points[k]);
    write_sweep(options, axes, points);
    any = any || points[k].consistency;
    inconsistent =
        inconsistent || (points[k].consistency && points[k].consistency->verdict == measure::Verdict::inconsistent);
  }
  if (const core::Problem problem = write_sweep_page(options.output, options.quiet); !problem.rule.empty()) {
    print_warnings({problem});
  } else {
    fmt::print("{}\n", (options.output / "index.html").string());
  }
  if (!any) return kNumericalFailure;
  return inconsistent ? kInconsistent : kDone;
}

}  // namespace triscale::cli
