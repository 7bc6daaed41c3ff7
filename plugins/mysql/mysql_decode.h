#pragma once

#include <string>
#include <string_view>

#include "plugins/common/relational/text_rule.h"
#include "plugins/mysql/mysql_types.h"
#include "transport/record/batch_builder.h"
#include "transport/record/dirty_codes.h"

namespace sluice::mysql {

/// What becomes of a date that is zero or has a zero month or day.
enum class zero_date : std::uint8_t {
  dirty,
  null,
  text,  ///< All dates and times are the server's text, those of TIMESTAMP with the session's offset.
};

/// Why a value cannot be taken; `code` is `none` where it was.
struct decoded {
  dirty_code code = dirty_code::none;
  std::string_view why = {};                ///< A sentence for the dirty record.
  std::optional<change_rule> changed = {};  ///< By `invalidText`.

  [[nodiscard]] bool ok() const { return code == dirty_code::none; }
};

/// How the text of one column becomes values. Pure; used by a reader's thread.
class value_decoder {
 public:
  value_decoder(const column_kind& kind, zero_date zeros,
                relational::text_rule invalid = relational::text_rule::dirty);

  [[nodiscard]] const data_type& type() const { return type_; }
  /// Appends the value that the server sent as `text`; nothing is appended where it fails. `text` may be any
  /// bytes: what is none of the server's forms is refused.
  decoded append(std::string_view text, column_builder& to);
  /// What the value takes in a batch, at most.
  [[nodiscard]] std::uint64_t bytes_in_batch(std::string_view text) const;

 private:
  decoded append_decimal(std::string_view text, column_builder& to);
  decoded append_real(std::string_view text, column_builder& to) const;
  decoded append_bits(std::string_view text, column_builder& to) const;
  decoded append_date(std::string_view text, column_builder& to) const;
  decoded append_stamp(std::string_view text, column_builder& to);
  decoded append_duration(std::string_view text, column_builder& to) const;
  decoded zero(std::string_view text, column_builder& to) const;

  column_kind kind_;
  zero_date zeros_;
  relational::text_rule invalid_;
  data_type type_;
  std::string scratch_;
};

}  // namespace sluice::mysql
