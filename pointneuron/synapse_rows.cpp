#include "pointneuron/synapse_rows.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cmath>
#include <new>

#include "core/error.hpp"

namespace triscale::pointneuron {

template <class T>
LargeArray<T>::LargeArray(std::size_t size) : size_(size) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  constexpr std::size_t kWorthIt = std::size_t{128}
                                   << 10;  ///< a good part of what the first-level TLB covers otherwise
  const bool large = size * sizeof(T) >= kWorthIt;
  const std::size_t alignment = large ? kHugePage : 64;
  const std::size_t bytes = (size * sizeof(T) + alignment - 1) / alignment * alignment;
  if (bytes == 0) return;
  data_.reset(static_cast<T*>(std::aligned_alloc(alignment, bytes)));
  if (!data_) throw std::bad_alloc();
#if defined(__linux__)
  if (large) madvise(data_.get(), bytes, MADV_HUGEPAGE);  // only advice: nothing depends on it
#endif
}
template class LargeArray<std::uint8_t>;
template class LargeArray<std::uint32_t>;
template class LargeArray<std::uint64_t>;
template class LargeArray<std::int32_t>;
template class LargeArray<std::int64_t>;

template <class Word, class Sum>
SynapseRows<Word, Sum>::SynapseRows(std::span<const std::uint32_t> row_sizes) : begin_(row_sizes.size() + 1, 0) {
  std::uint64_t total = 0;
  for (const std::uint32_t n : row_sizes) total += n;
  if (total >= UINT32_MAX) {
    throw core::InputError({"", "projections", "", "must give fewer than 2^32 synapses onto 65536 targets",
                            "use fewer synapses, or give them individual sources"});
  }
  for (std::size_t s = 0; s < row_sizes.size(); ++s) begin_[s + 1] = begin_[s] + row_sizes[s];
  next_.assign(begin_.begin(), begin_.end() - 1);
  words_ = LargeArray<Word>(total);
  delays_ = LargeArray<std::uint8_t>(total);
}

template <class Word, class Sum>
void SynapseRows<Word, Sum>::begin_rows(std::size_t sources, std::uint32_t shortest, std::uint32_t longest,
                                        std::size_t synapses) {
  shortest_ = static_cast<std::int32_t>(shortest);
  delays_per_row_ = longest - shortest + 1;
  size_ = synapses;
  const bool table = synapses >= sources * delays_per_row_;
  first_ = LargeArray<std::uint32_t>((table ? sources * delays_per_row_ : sources) + 1);
  first_[first_.size() - 1] = static_cast<std::uint32_t>(synapses);
  if (!table && delays_.size() == 0) delays_ = LargeArray<std::uint8_t>(synapses);
}

template <class Word, class Sum>
void SynapseRows<Word, Sum>::finish() {
  const std::size_t sources = next_.size();
  std::uint32_t shortest = 255, longest = 0;
  std::size_t synapses = 0;
  for (std::size_t s = 0; s < sources; ++s) {
    synapses += next_[s] - begin_[s];
    for (std::size_t i = begin_[s]; i < next_[s]; ++i) {
      shortest = std::min<std::uint32_t>(shortest, delays_[i]);
      longest = std::max<std::uint32_t>(longest, delays_[i]);
    }
  }
  if (synapses > 0) begin_rows(sources, shortest, longest, synapses);
  const bool table = synapses >= sources * delays_per_row_;
  std::vector<Word> row;
  std::vector<std::uint32_t> place(delays_per_row_ + 1), counts(delays_per_row_);
  std::uint32_t out = 0;
  for (std::size_t s = 0; s < sources && synapses > 0; ++s) {
    // Counting sort; the row moves to where the one before it ended.
    const std::size_t from = begin_[s], to = next_[s];
    if (!table) first_[s] = out;
    std::fill(place.begin(), place.end(), 0u);
    for (std::size_t i = from; i < to; ++i) ++place[delays_[i] - shortest + 1];
    for (std::size_t d = 0; d < delays_per_row_; ++d) {
      counts[d] = place[d + 1];
      place[d + 1] += place[d];
      if (table) first_[s * delays_per_row_ + d] = out + place[d];
    }
    row.assign(words_.data() + from, words_.data() + to);
    for (std::size_t i = from; i < to; ++i) words_[out + place[delays_[i] - shortest]++] = row[i - from];
    std::uint8_t* delay = delays_.data() + out;
    for (std::size_t d = 0; !table && d < delays_per_row_; ++d)
      delay = std::fill_n(delay, counts[d], static_cast<std::uint8_t>(shortest + d));
    out += static_cast<std::uint32_t>(to - from);
  }
  begin_ = {};
  next_ = {};
  if (table) delays_ = {};
  if (synapses == 0) words_ = {};
}

template <class Word, class Sum>
SynapseRows<Word, Sum>::SynapseRows(std::size_t sources, std::vector<LooseSynapse> synapses, double unit) {
  if (synapses.empty()) return;
  std::stable_sort(synapses.begin(), synapses.end(), [](const LooseSynapse& a, const LooseSynapse& b) {
    return a.source != b.source ? a.source < b.source : a.delay < b.delay;
  });
  const auto by_delay = [](const LooseSynapse& a, const LooseSynapse& b) { return a.delay < b.delay; };
  const auto [least, most] = std::minmax_element(synapses.begin(), synapses.end(), by_delay);
  // Delays longer than a byte need the table.
  begin_rows(sources, least->delay, most->delay, most->delay > UINT8_MAX ? SIZE_MAX : synapses.size());
  size_ = synapses.size();
  words_ = LargeArray<Word>(size_);
  std::size_t key = 0;  // up to which the beginnings are known
  for (std::size_t i = 0; i < size_; ++i) {
    const LooseSynapse& synapse = synapses[i];
    const std::size_t here =
        has_table() ? this->key(synapse.source, static_cast<std::int32_t>(synapse.delay)) : synapse.source;
    while (key <= here) first_[key++] = static_cast<std::uint32_t>(i);
    words_[i] = pack(synapse.delay, synapse.place, std::llround(synapse.weight / unit));
    if (!has_table()) delays_[i] = static_cast<std::uint8_t>(synapse.delay);
  }
  while (key < first_.size()) first_[key++] = static_cast<std::uint32_t>(size_);
}

template <class Word, class Sum>
typename SynapseRows<Word, Sum>::Range SynapseRows<Word, Sum>::range_of(const Due& due) const {
  if (has_table()) return {first_[key(due.source, due.first_delay)], first_[key(due.source, due.last_delay)]};
  const std::uint8_t* row = delays_.data() + first_[due.source];
  const std::uint8_t* end = delays_.data() + first_[due.source + 1];
  const std::uint8_t* first = std::lower_bound(row, end, due.first_delay);
  const std::uint8_t* last = std::lower_bound(first, end, due.last_delay);
  return {static_cast<std::size_t>(first - delays_.data()), static_cast<std::size_t>(last - delays_.data())};
}

template <class Word, class Sum>
void SynapseRows<Word, Sum>::deliver(std::span<const Due> due, std::uint32_t horizon, Sum* sums) const {
  if (has_table()) return deliver_rows<true>(due, horizon, sums);
  deliver_rows<false>(due, horizon, sums);
}

template <class Word, class Sum>
template <bool kTable>
void SynapseRows<Word, Sum>::deliver_rows(std::span<const Due> due, std::uint32_t horizon, Sum* sums) const {
  // Several things are under way at once: where a row's piece lies (fetched kAhead jobs before), its delays if they
  // have to be searched (kSearch jobs before), the piece itself (kNear jobs before), and the additions.
  constexpr std::size_t kAhead = 12, kSearch = 8, kNear = 4, kMask = 15;
  constexpr std::size_t kLines = 14;
  using SignedWord = std::make_signed_t<Word>;
  struct Piece {
    const Word *begin, *end;
    Word shift;
  };
  Piece pieces[kMask + 1];
  const Word mask = static_cast<Word>(horizon - 1) << kPlaceBits | (kPlaces - 1);
  const std::size_t n = due.size();
  for (std::size_t k = 0; k < n + kAhead; ++k) {
    if (k < n) {
      __builtin_prefetch(&first_[kTable ? key(due[k].source, due[k].first_delay) : due[k].source]);
    }
    if (!kTable && k >= kAhead - kSearch && k - (kAhead - kSearch) < n) {
      __builtin_prefetch(&delays_[first_[due[k - (kAhead - kSearch)].source]]);
    }
    if (k >= kAhead - kNear && k - (kAhead - kNear) < n) {
      const std::size_t j = k - (kAhead - kNear);
      const Due& d = due[j];
      Piece& piece = pieces[j & kMask];
      const Range range = range_of(d);
      piece.begin = words_.data() + range.begin;
      piece.end = words_.data() + range.end;
      piece.shift = static_cast<Word>(d.step % kSlots) << kPlaceBits;
      const char* line = reinterpret_cast<const char*>(piece.begin);
      const char* end = reinterpret_cast<const char*>(piece.end);
      for (std::size_t l = 0; l < kLines && line < end; ++l, line += 64) __builtin_prefetch(line);
    }
    if (k < kAhead) continue;
    const Piece& piece = pieces[(k - kAhead) & kMask];
    const Word shift = piece.shift;
#pragma GCC unroll 8
    for (const Word* w = piece.begin; w != piece.end; ++w) {
      const Word word = *w;
      // (spike step + delay) modulo the horizon, and the place beside it
      sums[(word + shift) & mask] += static_cast<Sum>(static_cast<SignedWord>(word) >> kWeightShift);
    }
  }
}

template <class Word, class Sum>
void SynapseRows<Word, Sum>::deliver_whole(std::span<const Due> spikes, std::uint32_t slots, std::size_t stride,
                                           Sum* sums) const {
  constexpr std::size_t kAhead = 8, kNear = 4;
  using SignedWord = std::make_signed_t<Word>;
  for (std::size_t k = 0; k < spikes.size(); ++k) {
    if (k + kAhead < spikes.size()) __builtin_prefetch(&first_[spikes[k + kAhead].source]);
    if (k + kNear < spikes.size()) {
      const std::uint32_t begin = first_[spikes[k + kNear].source];
      __builtin_prefetch(words_.data() + begin);
      __builtin_prefetch(delays_.data() + begin);
    }
    const std::uint32_t end = first_[spikes[k].source + 1];
    for (std::uint32_t i = first_[spikes[k].source]; i < end; ++i) {
      const Word word = words_[i];
      const std::size_t slot = (spikes[k].step + delays_[i]) & (slots - 1);
      sums[slot * stride + (word & (kPlaces - 1))] += static_cast<Sum>(static_cast<SignedWord>(word) >> kWeightShift);
    }
  }
}

template class SynapseRows<std::uint32_t, std::int32_t>;
template class SynapseRows<std::uint64_t, std::int64_t>;

}  // namespace triscale::pointneuron
