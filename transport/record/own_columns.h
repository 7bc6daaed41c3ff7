#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transport/record/schema.h"

namespace sluice {

struct column;

/// What is to be known of a product's own bytes. Made by a source, shared by all batches that have them.
/// Thread-safe. The bytes of a row are those of its columns one behind the other and never NULL; bytes that
/// are not of that form are never read past.
class own_codec {
 public:
  virtual ~own_codec() = default;
  /// Of the form in which their rows are summed: `postgresql-copy/1`.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The values of the rows `which` as `value_text` shows them: for each column one text a row.
  [[nodiscard]] virtual std::vector<std::vector<std::optional<std::string>>> texts(
      const column& rows, std::span<const std::uint32_t> which) const = 0;
  /// Record bytes (DESIGN section 4) of rows [first, last), the same as of the columns' values.
  [[nodiscard]] virtual std::uint64_t record_bytes(const column& rows, std::uint32_t first,
                                                   std::uint32_t last) const = 0;
};

/// Columns that travel as one binary column (`field::own`): neighbours that nothing looks at on the way.
struct own_columns {
  schema columns;  ///< In order; their types are those the values would have.
  std::shared_ptr<const own_codec> codec;
};

}  // namespace sluice
