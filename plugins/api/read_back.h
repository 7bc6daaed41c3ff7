#pragma once

#include <nlohmann/json.hpp>

namespace sluice {

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
};

}  // namespace sluice
