#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/verify/verification.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// How much of two long values that differ is shown before the first byte in which they do.
constexpr std::size_t shown_before_max = 40;

/// A value from this byte on, as it is shown.
std::optional<std::string> shown_from(const fetch_reading::value& v, std::size_t from) {
  if (!v.text || (from == 0 && v.text->size() == v.bytes)) {
    return v.text;
  }
  return from == 0 ? fmt::format("{}… ({} bytes)", *v.text, v.bytes)
                   : fmt::format("(of {} bytes, from byte {}) …{}", v.bytes, from + 1, v.text->substr(from));
}

/// Where the part of two values that is shown begins: at long ones shortly before the first byte that
/// differs.
std::size_t shown_begin(const fetch_reading::value& a, const fetch_reading::value& b) {
  if (!a.text || !b.text || std::max(a.text->size(), b.text->size()) <= shown_bytes_max) {
    return 0;
  }
  const auto differ = std::mismatch(a.text->begin(), a.text->end(), b.text->begin(), b.text->end()).first;
  auto from = static_cast<std::size_t>(differ - a.text->begin());
  from -= std::min(from, shown_before_max);
  while (from > 0 && (static_cast<unsigned char>((*a.text)[from]) & 0xC0u) == 0x80u) {
    --from;  // not inside of a character
  }
  return from;
}

}  // namespace

std::string verification::record_text(const fetch_reading::record& r) const {
  std::string text;
  for (std::size_t i = 0; i < by_->taken.size(); ++i) {
    const bool in_key = std::find(by_->key.begin(), by_->key.end(), by_->taken[i]) != by_->key.end();
    if (!by_->key.empty() && !in_key) {
      continue;
    }
    const auto& value = r.values[i].text;
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", escaped((*by_->columns)[by_->taken[i]].name),
                        value ? escaped(*value) : "NULL");
  }
  return text;
}

/// Of files by the key: what stands in a dirty record is the value, not the text that a file would have.
std::string verification::identity_of(const fetch_reading::record& r) const {
  const bool by_key = !by_->texts.empty() && !by_->key.empty();
  std::string text;
  for (std::size_t i = 0; i < by_->taken.size(); ++i) {
    if (!by_key || std::find(by_->key.begin(), by_->key.end(), by_->taken[i]) != by_->key.end()) {
      text += fmt::format("{:016x}", r.values[i].hash);
    }
  }
  return text;
}

/// A refused record has its values by the destination's columns where the destination itself has refused it.
/// Of all that the run has refused only those are known that may be among what is named.
void verification::know_refused(const fetch_reading& at_source) {
  if (!settings_.refused) {
    return;
  }
  for (const auto& [key, records] : at_source.records()) {
    for (const fetch_reading::record& r : records) {
      refused_[identity_of(r)];
    }
  }
  settings_.refused([&](const refused_record& one) {
    fetch_reading::record r;
    for (const std::uint32_t i : by_->taken) {
      const auto at = std::find_if(one.fields.begin(), one.fields.end(),
                                   [&](const auto& f) { return f.first == (*by_->columns)[i].name; });
      auto text = at == one.fields.end() ? std::nullopt : at->second;
      if (text && std::find(by_->padded.begin(), by_->padded.end(), i) != by_->padded.end()) {
        text->resize(text->find_last_not_of(' ') + 1);
      }
      r.values.push_back(fetch_reading::kept(std::move(text)));
    }
    const auto at = refused_.find(identity_of(r));
    if (at == refused_.end()) {
      return;
    }
    const auto same = std::find_if(at->second.begin(), at->second.end(),
                                   [&](const refusals& known) { return known.code == one.code; });
    if (same == at->second.end()) {
      at->second.push_back({one.code, 1});
    } else {
      ++same->times;
    }
  });
}

/// The code of the run's refusal of this record, which tells of one record only; empty: it was not refused.
std::string verification::take_refusal(const fetch_reading::record* r) {
  const auto at = r == nullptr ? refused_.end() : refused_.find(identity_of(*r));
  if (at == refused_.end() || at->second.empty()) {
    return {};
  }
  refusals& last = at->second.back();
  std::string code = last.code;
  if (--last.times == 0) {
    at->second.pop_back();
  }
  return code;
}

/// Reads both sides once more for the values of what differs.
result<void> verification::name_differences(const std::vector<key_difference>& found) {
  if (found.empty()) {
    return {};
  }
  fetch_reading::keys wanted;
  for (const key_difference& one : found) {
    wanted.insert(one.key);
  }
  const auto left = std::make_shared<fetch_reading>(wanted, by_);
  const auto right = std::make_shared<fetch_reading>(wanted, by_);
  SLUICE_CHECK(read(side::source, left));
  SLUICE_CHECK(read(side::destination, right));
  know_refused(*left);
  const auto records_of = [](const fetch_reading& from, row_sum key) {
    const auto at = from.records().find(key);
    return at == from.records().end() ? std::vector<fetch_reading::record>() : at->second;
  };
  const auto with_row = [](const std::vector<fetch_reading::record>& of,
                           row_sum row) -> const fetch_reading::record* {
    const auto at = std::find_if(of.begin(), of.end(), [&](const auto& r) { return r.row == row; });
    return at == of.end() ? nullptr : &*at;
  };
  const auto text_of = [&](const fetch_reading::record* r) {
    return r == nullptr ? std::string("(gone while it was compared)") : record_text(*r);
  };
  for (const key_difference& one : found) {
    const auto at_source = records_of(*left, one.key);
    const auto at_destination = records_of(*right, one.key);
    gather_reading::rows_of_key source = one.source;
    gather_reading::rows_of_key destination = one.destination;
    while (!by_->key.empty() && !source.empty() && !destination.empty()) {
      verify_difference d;
      d.what = verify_difference::kind::different;
      const auto* a = with_row(at_source, source.back().first);
      const auto* b = with_row(at_destination, destination.back().first);
      d.record = text_of(a != nullptr ? a : b);
      // Where the job has emptied its destination, nobody else's row stands in the way.
      d.refused_as = report_.scope == verify_scope::keys ? take_refusal(a) : std::string();
      for (std::size_t i = 0; a != nullptr && b != nullptr && i < by_->taken.size(); ++i) {
        if (a->values[i] != b->values[i]) {
          const std::size_t from = shown_begin(a->values[i], b->values[i]);
          d.values.push_back({(*by_->columns)[by_->taken[i]].name, shown_from(a->values[i], from),
                              shown_from(b->values[i], from)});
        }
      }
      report_.differences.push_back(std::move(d));
      for (auto* rows : {&source, &destination}) {
        if (--rows->back().second == 0) {
          rows->pop_back();
        }
      }
    }
    for (const auto& [row, times] : source) {
      const auto* r = with_row(at_source, row);
      std::uint64_t there = 0;
      for (const auto& [other, n] : one.destination) {
        there += other == row ? n : 0;
      }
      report_.differences.push_back({verify_difference::kind::missing,
                                     text_of(r),
                                     {},
                                     times,
                                     there,
                                     times == 1 ? take_refusal(r) : ""});
    }
    for (const auto& [row, times] : destination) {
      report_.differences.push_back(
          {verify_difference::kind::extra, text_of(with_row(at_destination, row)), {}, 0, times, {}});
    }
  }
  std::sort(report_.differences.begin(), report_.differences.end(), [](const auto& a, const auto& b) {
    return a.record.size() != b.record.size() ? a.record.size() < b.record.size() : a.record < b.record;
  });
  if (report_.differences.size() > settings_.differences_max) {
    report_.differences.resize(settings_.differences_max);
  }
  return {};
}

}  // namespace sluice
