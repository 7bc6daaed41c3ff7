#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/text/bytes_form.h"
#include "transport/base/result.h"
#include "transport/record/batch_builder.h"
#include "transport/record/change_rule.h"
#include "transport/record/convert.h"
#include "transport/record/date_pattern.h"
#include "transport/record/dirty_codes.h"

namespace sluice {

/// The types a file's column may be declared as (job-formats 2.7).
enum class declared_type { string_text, long_number, double_number, boolean, date, bytes };

/// `STRING`, `LONG`, `DOUBLE`, `BOOLEAN`, `DATE` or `BYTES`.
std::string_view to_string(declared_type type);
/// The inverse, in any case; `bool`, `int` and the like are not among them.
std::optional<declared_type> declared_type_of(std::string_view word);

/// Turns the text of a field into a value of its column: STRING is utf8, LONG int64, DOUBLE decimal_text (the
/// exact number), BOOLEAN boolean, DATE a timestamp (an instant where the pattern has an offset) with as many
/// fraction digits as the pattern has S, BYTES binary. In the mode `datax` it also changes what DataX's
/// reader changes. Used by one thread.
class value_parser {
 public:
  /// `format`: Java's pattern of a DATE; nothing: the datetime, date, time and extra formats of `formats`, in
  /// that order. Of BYTES: a `bytes_form`; nothing: `text`. `bad_option` where it is not one; the caller
  /// names the place.
  static result<value_parser> make(declared_type type, const std::optional<std::string>& format,
                                   const conversion_context& formats);

  [[nodiscard]] declared_type declared() const { return declared_; }
  [[nodiscard]] const data_type& type() const { return type_; }

  /// From here on `append` refuses a text that is not the type's own spelling.
  void require_own_spelling() { own_spelling_only_ = true; }
  /// Whether the text is a value of the type, and the one text by which the type writes it: `7`, not `007`.
  [[nodiscard]] bool is_own_spelling(std::string_view text);

  /// Appends the value, or nothing and says why.
  dirty_code append(std::string_view text, column_builder& to);
  /// The same of any spelling.
  dirty_code append_any_spelling(std::string_view text, column_builder& to);
  /// Appends what DataX makes of a text that `append` refuses, and says by what rule; nothing where DataX
  /// refuses it, too, outside of the mode `datax`, and where the own spelling is required.
  std::optional<change_rule> append_changed(std::string_view text, column_builder& to) const;
  /// The rules that `append_changed` may name.
  [[nodiscard]] std::vector<change_rule> changes() const;

  /// Whether `append` refused the text for nothing but its spelling.
  [[nodiscard]] bool refuses_spelling(std::string_view text) const;

  /// What the texts should look like, for messages: `a whole number`, `a date like "yyyy-MM-dd"`.
  [[nodiscard]] std::string expected() const;

 private:
  value_parser(declared_type declared, data_type type) : declared_(declared), type_(type) {}
  [[nodiscard]] dirty_code code_of_other_spelling() const;
  dirty_code append_date(std::string_view text, column_builder& to) const;
  [[nodiscard]] dirty_code append_time(const wall_time& wall, column_builder& to) const;

  declared_type declared_;
  data_type type_;
  bool as_datax_ = false;
  bool own_spelling_only_ = false;
  bytes_form form_ = bytes_form::text;  ///< Of BYTES.
  std::vector<date_pattern> patterns_;
  std::string scratch_;
};

}  // namespace sluice
