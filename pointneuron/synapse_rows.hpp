/// Synapses of one block of targets, packed for delivery, and the delivery itself.
///
/// A synapse is one word: the place that its events go to (16 bits), the delay modulo 8 (3 bits) and the signed weight
/// in units of its receptor (13 bits of 32, or 45 bits of 64). The synapses of a source stand together, sorted by
/// delay; a table says where each delay begins. Where rows have fewer synapses than there are delays, the table would
/// be larger than the synapses: then every synapse has its delay in a byte
/// beside it, and the row is searched, or delivered as a whole to sums of as many steps as there are delays. Time is
/// delivered horizon by horizon, 1, 2, 4 or 8 steps long: of every spike that is under way, the piece of its row that
/// arrives within the horizon is added to the sums of those steps. So the sums in use are few and stay in the cache,
/// and rows are read in one direction. Sums are integers: exact, whatever the order.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace triscale::pointneuron {

inline constexpr std::uint32_t kPlaceBits = 16;
inline constexpr std::uint32_t kPlaces = 1u << kPlaceBits;
inline constexpr std::uint32_t kSlots = 8;  ///< longest horizon, steps
inline constexpr std::uint32_t kWeightShift = kPlaceBits + 3;
inline constexpr std::int64_t kLargestNarrow = 4095;
inline constexpr int kWideBits = 43;  ///< of the largest weight in a 64-bit word

/// Memory for plain numbers on pages as large as the system offers, because it is read at random.
template <class T>
class LargeArray {
 public:
  LargeArray() = default;
  explicit LargeArray(std::size_t size);
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

/// Synapses of `source` with delays [first_delay, last_delay) are due; the spike was in step `step`.
struct Due {
  std::uint32_t source;
  std::int32_t first_delay, last_delay;
  std::uint32_t step;
};

/// A synapse before it is packed. The delay counts from the step of the spike to the step in which it acts.
struct LooseSynapse {
  std::uint32_t source;
  std::uint32_t delay;
  std::uint32_t place;
  double weight;
};

/// Word: std::uint32_t with Sum std::int32_t, or std::uint64_t with std::int64_t.
template <class Word, class Sum>
class SynapseRows {
 public:
  SynapseRows() = default;
  /// Makes room for row_sizes[s] synapses of each source s; delays up to 255.
  explicit SynapseRows(std::span<const std::uint32_t> row_sizes);
  /// From a list, weights in units of `unit`.
  SynapseRows(std::size_t sources, std::vector<LooseSynapse> synapses, double unit);

  void add(std::uint32_t source, std::uint32_t delay, std::uint32_t place, std::int64_t weight) {
    const std::size_t i = next_[source]++;
    words_[i] = pack(delay, place, weight);
    delays_[i] = static_cast<std::uint8_t>(delay);
  }
  /// Sorts every row by delay and closes the gaps where fewer synapses came than there was room for.
  void finish();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::int32_t shortest_delay() const { return shortest_; }
  std::int32_t longest_delay() const { return shortest_ + static_cast<std::int32_t>(delays_per_row_) - 1; }
  std::size_t bytes() const {
    return words_.size() * sizeof(Word) + first_.size() * sizeof(std::uint32_t) + delays_.size();
  }

  /// Whether every synapse has its delay beside it, so that deliver_whole() can be called.
  bool has_short_rows() const { return delays_.size() > 0; }
  /// Adds whole rows: of every spike (its `step` not shortened, its delays unused) to sums[slot * stride + place], slot
  /// = arrival step modulo `slots`, a power of two above the longest delay.
  void deliver_whole(std::span<const Due> spikes, std::uint32_t slots, std::size_t stride, Sum* sums) const;

  /// Adds what is due to sums[slot * kPlaces + place], slot = arrival step modulo `horizon` (1, 2, 4 or 8).
  void deliver(std::span<const Due> due, std::uint32_t horizon, Sum* sums) const;

 private:
  static Word pack(std::uint32_t delay, std::uint32_t place, std::int64_t weight) {
    return static_cast<Word>(static_cast<std::uint64_t>(weight) << kWeightShift) |
           static_cast<Word>((delay % kSlots) << kPlaceBits | place);
  }
  void begin_rows(std::size_t sources, std::uint32_t shortest, std::uint32_t longest, std::size_t synapses);
  bool has_table() const { return delays_.size() == 0; }
  /// Where what is due begins or ends, in a table.
  std::size_t key(std::uint32_t source, std::int32_t delay) const {
    return static_cast<std::size_t>(source) * delays_per_row_ + static_cast<std::size_t>(delay - shortest_);
  }
  struct Range {
    std::size_t begin, end;
  };
  Range range_of(const Due& due) const;
  template <bool kTable>
  void deliver_rows(std::span<const Due> due, std::uint32_t horizon, Sum* sums) const;

  std::int32_t shortest_ = 1;
  std::size_t delays_per_row_ = 0;  ///< from the shortest delay to the longest
  std::size_t size_ = 0;
  LargeArray<std::uint32_t> first_;  ///< table: [key]; else [source]; and the end
  LargeArray<Word> words_;
  LargeArray<std::uint8_t> delays_;  ///< of each word; none if there is a table, but until finish()
  // Until finish():
  std::vector<std::uint32_t> begin_, next_;  ///< of the room of each source
};

extern template class SynapseRows<std::uint32_t, std::int32_t>;
extern template class SynapseRows<std::uint64_t, std::int64_t>;

}  // namespace triscale::pointneuron
