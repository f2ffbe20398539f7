/// `triscale compare --sweep`: where in the space of one or two parameters do the levels agree?
///
/// Every point of the grid is a comparison in a folder of its own, DIR/points/<number>. The coarser descriptions are
/// derived once, from CONFIG as it is: the map then shows how far from its working point a reduction holds. With
/// --derive-each they are derived anew at every point: the map then shows where the method works at all. A point that
/// fails is noted and the next one begins. The same command continues where it was interrupted: a point is done when
/// its consistency.json and its point.txt, which says what was compared, are there.
#pragma once

#include "cli/options.hpp"

namespace triscale::cli {

int sweep(const Options& options);

}  // namespace triscale::cli
