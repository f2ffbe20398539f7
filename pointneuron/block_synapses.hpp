/// Synapses between cells, laid out for delivery (pointneuron/synapse_rows.hpp).
///
/// The targets are cut into blocks of at most 65536 places; a place is a cell's receptor. Each block holds, for every
/// source, the synapses that end in it. Blocks are made in parallel, straight from the rules: what stands in memory is
/// the packed words, never a list of edges.
#pragma once

#include <cstdint>
#include <vector>

#include "core/parallel.hpp"
#include "network/circuit.hpp"
#include "pointneuron/synapse_rows.hpp"

namespace triscale::pointneuron {

/// A range of cells of one population.
struct CellRange {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

/// A projection between cells.
struct CellProjection {
  std::size_t projection = 0;     ///< index into Circuit::projections
  std::vector<std::size_t> rows;  ///< row of its target population that each of its receptors acts on
  double sign = 1;
  bool at_end_of_step = false;  ///< events act at the end of the step before their arrival
};

/// How cells are numbered and cut.
struct BlockLayout {
  std::vector<std::uint32_t> first_source;  ///< [population]: number of its first cell among all cells
  std::uint32_t sources = 0;
  std::vector<std::size_t> rows;               ///< [population]: kinds of receptors
  std::vector<std::vector<CellRange>> ranges;  ///< [block][population]
  std::vector<std::vector<std::size_t>> base;  ///< [block][population]: its first place; row r begins r * size behind

  std::size_t blocks() const { return ranges.size(); }
};

/// Cuts every population evenly into blocks; their number is a multiple of `threads`, at least `blocks`, and such that
/// no block has more than 65536 places.
BlockLayout block_layout(const network::Circuit& circuit, const std::vector<std::size_t>& rows, std::size_t threads,
                         std::size_t blocks);

using NarrowRows = SynapseRows<std::uint32_t, std::int32_t>;
using WideRows = SynapseRows<std::uint64_t, std::int64_t>;

struct BlockSynapses {
  NarrowRows narrow;
  WideRows wide;
};

struct CellSynapses {
  std::vector<BlockSynapses> blocks;
  std::vector<std::vector<double>> narrow_unit;  ///< [population][row]
  double wide_unit = 1;
  std::uint64_t synapses = 0;
  std::uint64_t edge_hash = 0;                         ///< to be added to that of the other projections
  std::int64_t shortest_delay = 0, longest_delay = 0;  ///< from the step of a spike to the step in which it acts

  std::size_t bytes() const;
};

CellSynapses make_cell_synapses(const network::Circuit& circuit, const std::vector<CellProjection>& projections,
                                const BlockLayout& layout, core::ThreadPool& pool);

}  // namespace triscale::pointneuron
