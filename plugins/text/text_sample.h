#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/text/column_guess.h"
#include "plugins/text/text_layout.h"

namespace sluice {

/// The first records of a file, as a reader of this layout would see them.
struct text_sample {
  std::vector<std::vector<sampled_field>> rows;
  std::vector<std::string> lines;   ///< JSON Lines: the records as they stand, in place of `rows`.
  std::uint64_t dirty = 0;          ///< Records among the first that the format itself makes dirty.
  std::uint64_t empty_records = 0;  ///< Left out, where the layout leaves them out.
  bool is_text = true;              ///< All bytes looked at are well-formed UTF-8 (behind decoding).
  bool whole_file = false;          ///< The file has no more.
};

/// A sample is cut at so many bytes of fields: what it holds is not sized by the file.
inline constexpr std::size_t sample_bytes_max = std::size_t{16} << 20;

/// Fails as opening and reading the file does.
result<text_sample> read_sample(const text_layout& layout, const std::string& path, std::size_t rows_max);

}  // namespace sluice
