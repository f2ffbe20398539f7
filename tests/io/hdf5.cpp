#include "io/hdf5.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "core/error.hpp"
#include "io/atomic_file.hpp"

namespace triscale::io {
namespace {

std::filesystem::path scratch(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "triscale_hdf5";
  std::filesystem::create_directories(folder);
  return folder / name;
}

/// The first problem of the error that `action` throws.
template <class Action>
core::Problem problem_of(Action action) {
  try {
    action();
  } catch (const core::InputError& error) {
    return error.problems().front();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(Hdf5, ReadsBackWhatItWrote) {
  const auto path = scratch("round_trip.h5");
  {
    Hdf5File file = Hdf5File::create(path);
    file.write("/a/b/numbers", std::vector<double>{1.5, -2, 1e300});
    file.write("/a/b/ids", std::vector<std::uint64_t>{0, 1, std::numeric_limits<std::uint64_t>::max()});
    file.write("/a/matrix", std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
    file.write("/empty", std::vector<double>{});
    file.write_strings("/names", {"Scnn1a", "", "größer"});
    file.write_attribute("/a/b/numbers", "units", "ms");
    const std::vector<std::uint32_t> version{0, 1};
    file.write_attribute<std::uint32_t>("/", "version", version);
    file.write_enum_attribute("/a", "sorting", {"none", "by_id", "by_time"}, 2);
    file.close();
  }
  const Hdf5File file = Hdf5File::open(path);
  EXPECT_EQ(file.read<double>("/a/b/numbers"), (std::vector<double>{1.5, -2, 1e300}));
  EXPECT_EQ(file.read<std::uint64_t>("/a/b/ids").back(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(file.shape("/a/matrix"), (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(file.read<std::int32_t>("/a/matrix"), (std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(file.read<double>("/empty").empty());
  EXPECT_EQ(file.read_strings("/names"), (std::vector<std::string>{"Scnn1a", "", "größer"}));
  EXPECT_EQ(file.string_attribute("/a/b/numbers", "units"), "ms");
  EXPECT_EQ(file.attribute<std::uint32_t>("/", "version"), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(file.attribute<std::int64_t>("/a", "sorting"), std::vector<std::int64_t>{2});
  EXPECT_EQ(file.children("/a"), (std::vector<std::string>{"b", "matrix"}));
  EXPECT_TRUE(file.is_group("/a/b"));
  EXPECT_FALSE(file.is_group("/names"));
  EXPECT_FALSE(file.exists("/a/c/d"));
}

TEST(Hdf5, GrowingDatasetKeepsAllRows) {
  const auto path = scratch("growing.h5");
  {
    Hdf5File file = Hdf5File::create(path);
    file.make_growing<double>("/report/data", 2, 3);
    file.make_growing<std::uint64_t>("/spikes/ids", 0, 2);
    for (int row = 0; row < 5; ++row) {
      const std::vector<double> values{row * 1.0, row * 10.0};
      file.append<double>("/report/data", values);
      const std::vector<std::uint64_t> id{static_cast<std::uint64_t>(row)};
      file.append<std::uint64_t>("/spikes/ids", id);
    }
    file.close();
  }
  const Hdf5File file = Hdf5File::open(path);
  EXPECT_EQ(file.shape("/report/data"), (std::vector<std::size_t>{5, 2}));
  EXPECT_EQ(file.read<double>("/report/data"), (std::vector<double>{0, 0, 1, 10, 2, 20, 3, 30, 4, 40}));
  EXPECT_EQ(file.read<std::uint64_t>("/spikes/ids"), (std::vector<std::uint64_t>{0, 1, 2, 3, 4}));
}

TEST(Hdf5, NeverClampsIntegersInSilence) {
  const auto path = scratch("ranges.h5");
  {
    Hdf5File file = Hdf5File::create(path);
    file.write("/negative", std::vector<std::int64_t>{3, -1});
    file.write("/large", std::vector<std::uint64_t>{1ull << 40});
    file.write("/fraction", std::vector<double>{2, 0.5});
    file.write("/whole", std::vector<double>{2, 7});
    file.close();
  }
  const Hdf5File file = Hdf5File::open(path);
  const auto problem = problem_of([&] { file.read<std::uint64_t>("/negative"); });
  EXPECT_EQ(problem.file, path.string());
  EXPECT_EQ(problem.place, "/negative[1]");
  EXPECT_EQ(problem.value, "-1");
  EXPECT_THROW(file.read<std::uint32_t>("/large"), core::InputError);
  EXPECT_THROW(file.read<std::uint64_t>("/fraction"), core::InputError);
  EXPECT_EQ(file.read<std::uint64_t>("/whole"), (std::vector<std::uint64_t>{2, 7}));
}

TEST(Hdf5, ErrorsNameFileAndPath) {
  const auto absent = scratch("absent.h5");
  std::filesystem::remove(absent);
  EXPECT_EQ(problem_of([&] { Hdf5File::open(absent); }).file, absent.string());
  const auto text = scratch("text.h5");
  std::ofstream(text) << "not HDF5";
  EXPECT_NE(problem_of([&] { Hdf5File::open(text); }).rule.find("HDF5"), std::string::npos);
  const auto path = scratch("small.h5");
  Hdf5File file = Hdf5File::create(path);
  file.write("/x", std::vector<double>{1});
  EXPECT_EQ(problem_of([&] { file.read<double>("/y/z"); }).place, "/y/z");
  EXPECT_EQ(problem_of([&] { file.string_attribute("/x", "units"); }).place, "/x@units");
  EXPECT_THROW(file.read_strings("/x"), core::InputError);
}

TEST(AtomicFile, IsAbsentUntilCommitted) {
  const auto path = scratch("atomic/result.txt");
  std::filesystem::remove_all(path.parent_path());
  {
    AtomicFile abandoned(path);
    std::ofstream(abandoned.temporary()) << "half";
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(std::filesystem::is_empty(path.parent_path()));
  write_text_file(path, "whole");
  write_text_file(path, "replaced");
  std::ifstream stream(path);
  std::string text;
  std::getline(stream, text);
  EXPECT_EQ(text, "replaced");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), 1);
}

TEST(AtomicFile, ReportsAFolderThatCannotBeMade) {
  const auto file = scratch("a_file");
  std::ofstream(file) << "x";
  EXPECT_THROW(AtomicFile(file / "below" / "result.txt"), core::InputError);
}

}  // namespace
}  // namespace triscale::io
