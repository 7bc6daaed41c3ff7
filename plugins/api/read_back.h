#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "transport/base/result.h"
#include "transport/record/batch.h"
#include "transport/record/zone.h"

namespace sluice {

/// Appends the text of a value as the destination writes it; false where it is written as NULL is, or has no
/// text there. For any thread.
using written_text = std::function<bool(const column& c, std::uint32_t row, std::string& to)>;

/// How the records that a job has written are read again, by the same plugin's reader: for `sluice verify`.
struct read_back {
  /// What of records that share a key the write mode leaves.
  enum class standing {
    every_record,
    last_a_key,  ///< One of them, with its values (`update`, `replace`).
    any_a_key,   ///< A row with their key, maybe an older one (`ignore`).
  };
  nlohmann::json changes;  ///< To the writer's options (RFC 7386): with them they are the reader's.
  standing rows = standing::every_record;
  bool takes_where = false;  ///< `where` restricts what is read.
  /// Of a destination that holds texts alone, which its reader gives as utf8: the text of a column's values.
  /// Empty: what is read has the types that were written. The function outlives what it was made of.
  std::function<result<written_text>(const field& f, const time_zone_ptr& zone)> text_of = {};
};

}  // namespace sluice
