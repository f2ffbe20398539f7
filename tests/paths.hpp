/// Folders that tests read. Functions, not macros of the command line: so the objects do not depend on where the
/// checkout is, and a compiler cache serves all of them.
#pragma once

namespace triscale::tests {

/// The project itself.
const char* source_dir();
/// Public circuits and golden values; may not exist.
const char* shared_dir();

}  // namespace triscale::tests
