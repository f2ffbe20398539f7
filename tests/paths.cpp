#include "tests/paths.hpp"

namespace triscale::tests {

const char* source_dir() {
  return TRISCALE_SOURCE_DIR;
}

const char* shared_dir() {
  return TRISCALE_SHARED_DIR;
}

}  // namespace triscale::tests
