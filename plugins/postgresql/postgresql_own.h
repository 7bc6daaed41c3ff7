#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/postgresql/postgresql_decode.h"
#include "transport/record/own_columns.h"

/// Columns that go from one PostgreSQL to another in the bytes of COPY's binary form, neither decoded nor
/// encoded on the way: for each an int32 length, -1 for NULL, and the value.
namespace sluice::postgresql {

/// The name of a column's own form (`field::own_form`): two of the same name hold the same values by the same
/// bytes, in every version. Empty where there is none: types of a database's own, money, whose digits are the
/// session's, and what is read as text.
std::string own_form_of(const server_type& type);

/// Whether a column of `type` takes what has this form: it is its own, or the same without the limit that the
/// source's has.
bool takes_own_form(const server_type& type, std::string_view form);

/// The batch's column for these, neighbours with own forms.
field own_field(schema columns, std::vector<column_type> kinds);

/// Threads as `own_codec`.
class copy_codec : public own_codec {
 public:
  explicit copy_codec(std::vector<column_type> columns);

  [[nodiscard]] std::string_view name() const override { return "postgresql-copy/1"; }
  [[nodiscard]] std::vector<std::vector<std::optional<std::string>>> texts(
      const column& rows, std::span<const std::uint32_t> which) const override;
  [[nodiscard]] std::uint64_t record_bytes(const column& rows, std::uint32_t first,
                                           std::uint32_t last) const override;

 private:
  /// Moves `at` over field i, which ends before `end`, and adds its record bytes. False where it does not.
  bool measure(std::size_t i, const char*& at, const char* end, std::uint64_t& bytes) const;
  std::vector<column_type> columns_;
  std::shared_ptr<buffer_pool> pool_;  ///< Of `texts`.
  std::vector<std::int32_t> widths_;   ///< Of a value in a batch; -1: its bytes; -2: it is to be looked at.
  std::vector<std::int32_t> fixed_;    ///< Of a value as it comes; -2: it varies.
};

}  // namespace sluice::postgresql
