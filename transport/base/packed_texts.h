#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Several texts as one, for the same program on the same machine: each behind its length, four bytes in the
// machine's own order. The format is never stored.
namespace sluice {

inline std::string packed_texts(std::initializer_list<std::string_view> texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) {
    bytes += sizeof(std::uint32_t) + text.size();
  }
  std::string out;
  out.reserve(bytes);  // A text may be a secret: no copy of it stays behind.
  for (const std::string_view text : texts) {
    const auto size = static_cast<std::uint32_t>(text.size());
    char length[sizeof size];
    std::memcpy(length, &size, sizeof size);
    out.append(length, sizeof length);
    out.append(text);
  }
  return out;
}

/// The texts, which lie in `packed`; nothing where it is not made of exactly `count` of them.
inline std::optional<std::vector<std::string_view>> unpacked_texts(std::string_view packed,
                                                                   std::size_t count) {
  std::vector<std::string_view> texts;
  while (!packed.empty()) {
    std::uint32_t size = 0;
    if (packed.size() < sizeof size) {
      return std::nullopt;
    }
    std::memcpy(&size, packed.data(), sizeof size);
    packed.remove_prefix(sizeof size);
    if (size > packed.size()) {
      return std::nullopt;
    }
    texts.push_back(packed.substr(0, size));
    packed.remove_prefix(size);
  }
  return texts.size() == count ? std::optional(std::move(texts)) : std::nullopt;
}

}  // namespace sluice
