#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// How an option's value is written. Loose as real files are (job-formats 1.11, 31 to 36): numbers and
/// booleans also as text, one text where a list is expected.
enum class option_type {
  text,       ///< Numbers and booleans count as their text, a list of one text as that text.
  character,  ///< One Unicode character; `\u0001`, `\t` and the like are understood, a number is its code
              ///< point.
  delimiter,  ///< One or more characters with the same escapes. Blanks are a value here, only "" is unset.
  integer,
  number,
  boolean,
  text_list,    ///< A list of texts, or one text.
  object,       ///< An object with members of its own (`members`).
  object_list,  ///< A list of objects, or one object.
  columns,      ///< The `column` option: texts or objects, as the plugin reads them.
};

/// One option of a plugin: the only source of its validation, documentation, template and JSON Schema.
struct option {
  std::string name = {};
  option_type type = option_type::text;
  std::string meaning = {};             ///< One or two sentences, first word capital, with the unit.
  std::string default_text = {};        ///< As written in a job file; empty = none.
  std::string datax_default_text = {};  ///< Where the DataX dialect differs; empty = the same.
  bool required = false;
  bool secret = false;  ///< Never shown anywhere.
  /// A blank text (empty or white space only) is a value, not "unset". Without it such a text is unset,
  /// except in characters and delimiters, where only the empty text is. Keys of `is_blank_value_key` need no
  /// mark.
  bool blank_is_value = false;
  std::vector<std::string> allowed = {};  ///< Texts allowed, ignoring case; empty = any.
  std::vector<std::string> aliases = {};  ///< Other names of the same option.
  std::vector<option> members = {};       ///< Of object and object_list.
  /// Checked by whoever uses it: where it does not count, what stands there is no mistake.
  bool checked_when_used = false;
  /// Known, and not supported: what asks for anything (all but blank and false) is refused. `meaning` says
  /// what it would be and what to do instead.
  bool not_supported = false;
  double number_min = -1e300;  ///< integer and number: least and greatest allowed.
  double number_max = 1e300;
};

/// A default that another name of a plugin sets: the stepType `json` sets `fileFormat` to `json`.
struct option_default {
  std::string option;
  std::string value;
  std::vector<std::string> same = {};  ///< Values that mean the same as `value`.
};

/// The option of that name or alias; nullptr where there is none.
inline const option* option_named(const std::vector<option>& options, std::string_view key) {
  for (const option& o : options) {
    if (o.name == key || std::find(o.aliases.begin(), o.aliases.end(), key) != o.aliases.end()) {
      return &o;
    }
  }
  return nullptr;
}

/// Whether `key`, which is no option's name, looks like a mistyped one of a secret: then what stands there is
/// kept as one.
bool is_slip_of_secret(const std::vector<option>& options, std::string_view key);

}  // namespace sluice
