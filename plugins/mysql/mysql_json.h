#pragma once

#include <string>
#include <string_view>

#include "transport/record/dirty_codes.h"

namespace sluice::mysql {

/// Why a document is not what MySQL's JSON type would give back for it.
struct json_problem {
  dirty_code code = dirty_code::none;  ///< `none`: it is kept, or `is_json` is false.
  bool is_json = true;
  std::string message = {};  ///< Names the number or the key.
};

/// MySQL stores JSON in a form of its own (https://dev.mysql.com/doc/refman/8.0/en/json.html): numbers become
/// 64-bit integers or doubles, of several equal keys the last one stays, blanks and the order of keys are
/// lost. Texts are compared by value: `not_exact` for a number that would become another, `duplicate_key` for
/// an object with a key twice. MariaDB's JSON is the text itself. Any thread.
json_problem check_json(std::string_view document);

/// Whether a number's text, one that is no 64-bit integer, is equal to the shortest decimal of the double
/// that MySQL makes of it. MySQL does not take the nearest double of every text, see the source.
bool stays_equal(std::string_view number);

}  // namespace sluice::mysql
