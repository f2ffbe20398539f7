#include "io/hdf5.hpp"

#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/error.hpp"

namespace triscale::io {
namespace {

static_assert(sizeof(hid_t) == sizeof(std::int64_t));

[[noreturn]] void fail(const std::string& file, const std::string& place, const std::string& rule,
                       const std::string& hint = "", const std::string& value = "") {
  throw core::InputError({file, place, value, rule, hint});
}

/// Owns an HDF5 identifier of any kind.
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_;
};

void silence_hdf5() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

template <class T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, double>) {
    return H5T_NATIVE_DOUBLE;
  } else if constexpr (std::is_same_v<T, float>) {
    return H5T_NATIVE_FLOAT;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return H5T_NATIVE_INT64;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return H5T_NATIVE_UINT64;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return H5T_NATIVE_INT32;
  } else {
    static_assert(std::is_same_v<T, std::uint32_t>);
    return H5T_NATIVE_UINT32;
  }
}

/// True if `value` is exactly representable as To (doubles: any value; floats may round).
template <class To, class From>
bool fits(From value) {
  if constexpr (std::is_floating_point_v<To>) {
    return true;
  } else if constexpr (std::is_floating_point_v<From>) {
    return value == std::floor(value) && value >= static_cast<From>(std::numeric_limits<To>::min()) &&
           value < std::ldexp(1.0, std::numeric_limits<To>::digits);
  } else {
    return std::in_range<To>(value);
  }
}

/// Converts what was read in the widest native type of its class.
template <class To, class From>
std::vector<To> narrow(std::vector<From>&& wide, const std::string& file, const std::string& place) {
  if constexpr (std::is_same_v<To, From>) {
    return std::move(wide);
  } else {
    std::vector<To> result(wide.size());
    for (std::size_t i = 0; i < wide.size(); ++i) {
      if (!fits<To>(wide[i])) {
        fail(file, place + "[" + std::to_string(i) + "]", "must be an integer within the range of this quantity", "",
             std::to_string(wide[i]));
      }
      result[i] = static_cast<To>(wide[i]);
    }
    return result;
  }
}

/// Reads all elements through `read(memory type, buffer)`, which is H5Dread or H5Aread.
template <class T, class Read>
std::vector<T> read_numbers(hid_t type, std::size_t count, const std::string& file, const std::string& place,
                            Read read) {
  const auto get = [&]<class Wide>(std::vector<Wide> buffer) {
    if (count > 0 && read(native_type<Wide>(), buffer.data()) < 0) fail(file, place, "cannot be read");
    return narrow<T>(std::move(buffer), file, place);
  };
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_FLOAT) return get(std::vector<double>(count));
  if (kind == H5T_INTEGER || kind == H5T_ENUM) {
    const Handle base(kind == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type));
    // An enumeration converts to an integer only through its own base type; 8-bit booleans of h5py are such.
    if (kind == H5T_ENUM) {
      std::vector<std::int64_t> values(count);
      const Handle native(H5Tget_native_type(type, H5T_DIR_ASCEND));
      const std::size_t size = H5Tget_size(native.get());
      std::vector<char> raw(std::max<std::size_t>(count, 1) * std::max(size, sizeof(std::int64_t)));
      if (count > 0 && read(native.get(), raw.data()) < 0) fail(file, place, "cannot be read");
      const Handle native_base(H5Tget_super(native.get()));
      if (H5Tconvert(native_base.get(), H5T_NATIVE_INT64, count, raw.data(), nullptr, H5P_DEFAULT) < 0) {
        fail(file, place, "cannot be read as integers");
      }
      std::copy_n(reinterpret_cast<const std::int64_t*>(raw.data()), count, values.begin());
      return narrow<T>(std::move(values), file, place);
    }
    if (H5Tget_sign(base.get()) == H5T_SGN_NONE) return get(std::vector<std::uint64_t>(count));
    return get(std::vector<std::int64_t>(count));
  }
  fail(file, place, "must hold numbers");
}

std::size_t element_count(hid_t space) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

/// Strings of fixed or variable length through `read(memory type, buffer)`.
template <class Read>
std::vector<std::string> read_texts(hid_t type, hid_t space, const std::string& file, const std::string& place,
                                    Read read) {
  if (H5Tget_class(type) != H5T_STRING) fail(file, place, "must hold text");
  const std::size_t count = element_count(space);
  std::vector<std::string> result(count);
  if (count == 0) return result;
  if (H5Tis_variable_str(type) > 0) {
    const Handle memory(H5Tcopy(H5T_C_S1));
    H5Tset_size(memory.get(), H5T_VARIABLE);
    H5Tset_cset(memory.get(), H5Tget_cset(type));
    std::vector<char*> pointers(count, nullptr);
    if (read(memory.get(), pointers.data()) < 0) fail(file, place, "cannot be read as text");
    for (std::size_t i = 0; i < count; ++i) {
      if (pointers[i]) result[i] = pointers[i];
    }
    H5Dvlen_reclaim(memory.get(), space, H5P_DEFAULT, pointers.data());
    return result;
  }
  const std::size_t width = H5Tget_size(type);
  std::vector<char> buffer(count * width);
  if (read(type, buffer.data()) < 0) fail(file, place, "cannot be read as text");
  for (std::size_t i = 0; i < count; ++i) {
    const char* begin = buffer.data() + i * width;
    std::string text(begin, std::find(begin, begin + width, '\0'));
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) text.erase(text.find_last_not_of(' ') + 1);
    result[i] = std::move(text);
  }
  return result;
}

Handle open_dataset(hid_t file, const std::string& name, const std::string& path) {
  const hid_t id = H5Dopen2(file, path.c_str(), H5P_DEFAULT);
  if (id < 0) fail(name, path, "must be a dataset of this file", "it is absent, or is a group");
  return Handle(id);
}

Handle open_attribute(hid_t file, const std::string& name, const std::string& path, const std::string& attribute) {
  const hid_t id = H5Aopen_by_name(file, path.c_str(), attribute.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  if (id < 0) fail(name, path + "@" + attribute, "must be an attribute of this file");
  return Handle(id);
}

/// Property list that makes the groups on the way to a new object.
hid_t make_parents() {
  const hid_t list = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(list, 1);
  return list;
}

/// Property list of a dataset that does not note when it was made: equal results are equal files.
hid_t dataset_properties() {
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(list, false);
  return list;
}

hid_t text_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

void write_raw_attribute(hid_t file, const std::string& name, const std::string& path, const std::string& attribute,
                         hid_t type, hid_t space, const void* data) {
  const Handle object(H5Oopen(file, path.c_str(), H5P_DEFAULT));
  if (!object) fail(name, path, "must exist before an attribute is written to it");
  const Handle id(H5Acreate2(object.get(), attribute.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  if (!id || H5Awrite(id.get(), type, data) < 0) fail(name, path + "@" + attribute, "cannot be written");
}

}  // namespace

Hdf5File Hdf5File::open(const std::filesystem::path& path) {
  silence_hdf5();
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) fail(path.string(), "", "must be an existing file");
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) fail(path.string(), "", "must be a readable HDF5 file", "it may be damaged or of another format");
  return Hdf5File(path.string(), file);
}

Hdf5File Hdf5File::create(const std::filesystem::path& path) {
  silence_hdf5();
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (file < 0) fail(path.string(), "", "cannot be made", "check that the folder exists and is writable");
  return Hdf5File(path.string(), file);
}

Hdf5File::~Hdf5File() {
  if (file_ >= 0) H5Fclose(file_);
}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept : name_(std::move(other.name_)), file_(std::exchange(other.file_, -1)) {}

Hdf5File& Hdf5File::operator=(Hdf5File&& other) noexcept {
  if (this != &other) {
    if (file_ >= 0) H5Fclose(file_);
    name_ = std::move(other.name_);
    file_ = std::exchange(other.file_, -1);
  }
  return *this;
}

void Hdf5File::close() {
  if (file_ < 0) return;
  const bool flushed = H5Fflush(file_, H5F_SCOPE_GLOBAL) >= 0;
  const bool closed = H5Fclose(std::exchange(file_, -1)) >= 0;
  if (!flushed || !closed) fail(name_, "", "cannot be written to the end", "is the disk full?");
}

bool Hdf5File::exists(const std::string& path) const {
  // H5Lexists asks about one link at a time; every group on the way must be there.
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!part.empty() && part != "/" && part.back() != '/' && H5Lexists(file_, part.c_str(), H5P_DEFAULT) <= 0)
      return false;
    if (end == std::string::npos) return true;
  }
}

bool Hdf5File::is_group(const std::string& path) const {
  if (!exists(path)) return false;
  const Handle object(H5Oopen(file_, path.c_str(), H5P_DEFAULT));
  return object && H5Iget_type(object.get()) == H5I_GROUP;
}

std::vector<std::string> Hdf5File::children(const std::string& group) const {
  const Handle id(H5Gopen2(file_, group.c_str(), H5P_DEFAULT));
  if (!id) fail(name_, group, "must be a group of this file");
  H5G_info_t info;
  if (H5Gget_info(id.get(), &info) < 0) fail(name_, group, "cannot be listed");
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const ssize_t length = H5Lget_name_by_idx(id.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
    if (length < 0) fail(name_, group, "cannot be listed");
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    H5Lget_name_by_idx(id.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
    name.pop_back();
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::size_t> Hdf5File::shape(const std::string& path) const {
  const Handle dataset = open_dataset(file_, name_, path);
  const Handle space(H5Dget_space(dataset.get()));
  const int rank = std::max(0, H5Sget_simple_extent_ndims(space.get()));
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr);
  return {extents.begin(), extents.end()};
}

bool Hdf5File::is_string(const std::string& path) const {
  const Handle dataset = open_dataset(file_, name_, path);
  const Handle type(H5Dget_type(dataset.get()));
  return H5Tget_class(type.get()) == H5T_STRING;
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& path) const {
  const Handle dataset = open_dataset(file_, name_, path);
  const Handle type(H5Dget_type(dataset.get()));
  const Handle space(H5Dget_space(dataset.get()));
  return read_numbers<T>(type.get(), element_count(space.get()), name_, path, [&](hid_t memory, void* buffer) {
    return H5Dread(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
  });
}

std::vector<std::string> Hdf5File::read_strings(const std::string& path) const {
  const Handle dataset = open_dataset(file_, name_, path);
  const Handle type(H5Dget_type(dataset.get()));
  const Handle space(H5Dget_space(dataset.get()));
  return read_texts(type.get(), space.get(), name_, path, [&](hid_t memory, void* buffer) {
    return H5Dread(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
  });
}

bool Hdf5File::has_attribute(const std::string& path, const std::string& attribute) const {
  return exists(path) && H5Aexists_by_name(file_, path.c_str(), attribute.c_str(), H5P_DEFAULT) > 0;
}

template <class T>
std::vector<T> Hdf5File::attribute(const std::string& path, const std::string& attribute) const {
  const Handle id = open_attribute(file_, name_, path, attribute);
  const Handle type(H5Aget_type(id.get()));
  const Handle space(H5Aget_space(id.get()));
  return read_numbers<T>(type.get(), element_count(space.get()), name_, path + "@" + attribute,
                         [&](hid_t memory, void* buffer) { return H5Aread(id.get(), memory, buffer); });
}

std::string Hdf5File::string_attribute(const std::string& path, const std::string& attribute) const {
  const Handle id = open_attribute(file_, name_, path, attribute);
  const Handle type(H5Aget_type(id.get()));
  const Handle space(H5Aget_space(id.get()));
  const auto texts = read_texts(type.get(), space.get(), name_, path + "@" + attribute,
                                [&](hid_t memory, void* buffer) { return H5Aread(id.get(), memory, buffer); });
  if (texts.size() != 1) fail(name_, path + "@" + attribute, "must be a single text");
  return texts.front();
}

void Hdf5File::make_group(const std::string& path) {
  if (is_group(path)) return;
  const Handle parents(make_parents());
  const Handle group(H5Gcreate2(file_, path.c_str(), parents.get(), H5P_DEFAULT, H5P_DEFAULT));
  if (!group) fail(name_, path, "cannot be made");
}

template <class T>
void Hdf5File::write(const std::string& path, std::span<const T> values, const std::vector<std::size_t>& shape) {
  std::vector<hsize_t> extents(shape.begin(), shape.end());
  if (extents.empty()) extents = {values.size()};
  const Handle space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
  const Handle parents(make_parents());
  const Handle properties(dataset_properties());
  const Handle dataset(
      H5Dcreate2(file_, path.c_str(), native_type<T>(), space.get(), parents.get(), properties.get(), H5P_DEFAULT));
  if (!dataset || element_count(space.get()) != values.size() ||
      (!values.empty() &&
       H5Dwrite(dataset.get(), native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)) {
    fail(name_, path, "cannot be written");
  }
}

void Hdf5File::write_strings(const std::string& path, const std::vector<std::string>& values) {
  const hsize_t extent = values.size();
  const Handle space(H5Screate_simple(1, &extent, nullptr));
  const Handle parents(make_parents());
  const Handle type(text_type());
  std::vector<const char*> pointers;
  for (const std::string& value : values) pointers.push_back(value.c_str());
  const Handle properties(dataset_properties());
  const Handle dataset(
      H5Dcreate2(file_, path.c_str(), type.get(), space.get(), parents.get(), properties.get(), H5P_DEFAULT));
  if (!dataset ||
      (!values.empty() && H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) < 0)) {
    fail(name_, path, "cannot be written");
  }
}

template <class T>
void Hdf5File::make_growing(const std::string& path, std::size_t columns, std::size_t chunk_rows) {
  const int rank = columns > 0 ? 2 : 1;
  const hsize_t extents[2] = {0, columns};
  const hsize_t limits[2] = {H5S_UNLIMITED, columns};
  const hsize_t chunk[2] = {chunk_rows, columns};
  const Handle space(H5Screate_simple(rank, extents, limits));
  const Handle properties(dataset_properties());
  H5Pset_chunk(properties.get(), rank, chunk);
  const Handle parents(make_parents());
  const Handle dataset(
      H5Dcreate2(file_, path.c_str(), native_type<T>(), space.get(), parents.get(), properties.get(), H5P_DEFAULT));
  if (!dataset) fail(name_, path, "cannot be made");
}

template <class T>
void Hdf5File::append(const std::string& path, std::span<const T> values) {
  if (values.empty()) return;
  const Handle dataset = open_dataset(file_, name_, path);
  hsize_t extents[2] = {0, 1};
  int rank = 0;
  {
    const Handle space(H5Dget_space(dataset.get()));
    rank = H5Sget_simple_extent_ndims(space.get());
    if (rank != 1 && rank != 2) fail(name_, path, "must have one or two dimensions to grow");
    H5Sget_simple_extent_dims(space.get(), extents, nullptr);
  }
  if (rank == 1) extents[1] = 1;
  if (extents[1] == 0 || values.size() % extents[1] != 0) fail(name_, path, "grows by whole rows only");
  const hsize_t start[2] = {extents[0], 0};
  const hsize_t added[2] = {values.size() / extents[1], extents[1]};
  const hsize_t grown[2] = {start[0] + added[0], extents[1]};
  if (H5Dset_extent(dataset.get(), grown) < 0) fail(name_, path, "cannot grow");
  const Handle file_space(H5Dget_space(dataset.get()));
  H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start, nullptr, added, nullptr);
  const Handle memory_space(H5Screate_simple(rank, added, nullptr));
  if (H5Dwrite(dataset.get(), native_type<T>(), memory_space.get(), file_space.get(), H5P_DEFAULT, values.data()) < 0) {
    fail(name_, path, "cannot be written", "is the disk full?");
  }
}

void Hdf5File::write_attribute(const std::string& path, const std::string& attribute, const std::string& value) {
  const Handle space(H5Screate(H5S_SCALAR));
  const Handle type(text_type());
  const char* text = value.c_str();
  write_raw_attribute(file_, name_, path, attribute, type.get(), space.get(), &text);
}

template <class T>
void Hdf5File::write_attribute(const std::string& path, const std::string& attribute, std::span<const T> values) {
  const hsize_t extent = values.size();
  const Handle space(values.size() == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, nullptr));
  write_raw_attribute(file_, name_, path, attribute, native_type<T>(), space.get(), values.data());
}

void Hdf5File::write_enum_attribute(const std::string& path, const std::string& attribute,
                                    const std::vector<std::string>& names, std::size_t value) {
  const Handle type(H5Tenum_create(H5T_NATIVE_UINT8));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto member = static_cast<std::uint8_t>(i);
    H5Tenum_insert(type.get(), names[i].c_str(), &member);
  }
  const Handle space(H5Screate(H5S_SCALAR));
  const auto chosen = static_cast<std::uint8_t>(value);
  write_raw_attribute(file_, name_, path, attribute, type.get(), space.get(), &chosen);
}

#define TRISCALE_HDF5_INSTANTIATE(T)                                                                         \
  template std::vector<T> Hdf5File::read<T>(const std::string&) const;                                       \
  template std::vector<T> Hdf5File::attribute<T>(const std::string&, const std::string&) const;              \
  template void Hdf5File::write<T>(const std::string&, std::span<const T>, const std::vector<std::size_t>&); \
  template void Hdf5File::make_growing<T>(const std::string&, std::size_t, std::size_t);                     \
  template void Hdf5File::append<T>(const std::string&, std::span<const T>);                                 \
  template void Hdf5File::write_attribute<T>(const std::string&, const std::string&, std::span<const T>);

TRISCALE_HDF5_INSTANTIATE(double)
TRISCALE_HDF5_INSTANTIATE(float)
TRISCALE_HDF5_INSTANTIATE(std::int64_t)
TRISCALE_HDF5_INSTANTIATE(std::uint64_t)
TRISCALE_HDF5_INSTANTIATE(std::int32_t)
TRISCALE_HDF5_INSTANTIATE(std::uint32_t)
#undef TRISCALE_HDF5_INSTANTIATE

}  // namespace triscale::io
