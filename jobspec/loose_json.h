#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option_values.h"
#include "transport/base/result.h"

namespace sluice {

// Limits of a job file. Job files are written by people and tools, kilobytes long; the limits are what keeps
// a wrong file from taking the machine.
inline constexpr std::size_t job_bytes_max = std::size_t{64} << 20;
inline constexpr std::size_t json_depth_max = 200;
inline constexpr std::size_t json_values_max = 200'000;
/// A value under a longer path is located by its nearest parent.
inline constexpr std::size_t json_path_bytes_max = 1024;

/// The paths of values that are words with variables, written outside of any text (`"channel": ${channel}`).
using bare_paths = std::set<std::string, std::less<>>;

/// A document as read, with the place of every value.
struct loose_document {
  nlohmann::json root;
  std::shared_ptr<json_places> places;
  std::vector<std::string> warnings;  ///< Of duplicate keys, one line each.
  bare_paths bare;                    ///< The document has the words themselves there, as texts.
};

/// Whether a variable may stand outside of texts, in place of a value.
enum class bare_variables { refused, kept };

/// Reads JSON as job files have it (job-formats 1.11 #35 to #40): `//` and `/* */` comments, trailing commas,
/// a BOM and CRLF are borne; of duplicate keys the last counts and a warning is given. `bad_option` at the
/// first mistake, as `orders.json:14:22: ` and a sentence with what was found and what to do. Does no I/O.
result<loose_document> read_loose_json(const std::string& file, std::string_view text,
                                       bare_variables variables = bare_variables::refused);

}  // namespace sluice
