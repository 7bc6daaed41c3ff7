#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/api/plain_secret.h"
#include "transport/record/schema.h"

namespace sluice {

/// The data source that an end is in (`db` of `db:orders`), with what connects to it.
struct end_datasource {
  std::string name;
  option_values options;    ///< Of the plugin's side, as the registry says them; secrets by `secret_of`.
  std::string base_folder;  ///< Relative paths of the step are below it; empty where it has none.
};

/// An end as a person names it on a command line (`orders.csv`, `sqlite:shop.db:orders`), taken apart by the
/// plugin that knows it.
struct end_place {
  std::string path;
  std::string table;  ///< Empty where none is named.
  std::string form;   ///< The word before the first colon, in small letters; empty without one.
  std::optional<end_datasource> datasource = {};  ///< What connects, where a data source says it.
  std::optional<bool> heading = {};  ///< Whether the first record is one, where the person says it.
};

/// An option of a step, with the reason for its value.
struct sketched_option {
  std::string name;
  nlohmann::ordered_json value;
  std::string comment;  ///< A sentence; empty where there is nothing to say.
};

/// What a sketched destination does about what is there already.
enum class sketch_mode {
  as_it_is,  ///< For a template: the plugin's default, the person decides.
  refuse,    ///< Nothing may be there.
  append,
  replace,
};

/// The code of a failure that the name of the end alone shows; all others are found by looking.
inline constexpr const char* end_named_wrong = "end_named_wrong";

/// What looking at a real end may use.
struct sketch_context {
  dialect form = dialect::script2;           ///< Of the job to be written.
  sketch_mode mode = sketch_mode::as_it_is;  ///< Of a destination.
  /// As `plugin_context::resolve_secret`, for a connection to look through.
  std::function<result<secret>(const secret_text& written, const stop_signal& stop)> resolve_secret =
      plain_secret;
};

/// A step made by looking at the real end; nothing of it is a guess that may be wrong without a word.
struct end_sketch {
  std::vector<sketched_option> options;  ///< In the order in which they are written.
  std::vector<std::string> remarks;      ///< For the head of the step: what was looked at, what is unsure.
  schema columns;                        ///< As they are read; of a destination: what takes each, or none.
  std::vector<std::string> column_comments;  ///< One a column; may be shorter.
  bool holds_records = false;                ///< Of a destination: records are there already.
  bool appends = true;                       ///< Of a destination: records can be added to those.
  std::string heading_unsure;  ///< Of a source: the sentence that says so where it cannot be told.
  /// What may be wrong with the draft, a sentence each with what to do: nobody sees the job's comments before
  /// a copy runs.
  std::vector<std::string> doubts;
};

/// `sqlite` and `shop.db:orders` of `sqlite:shop.db:orders`; an empty word where there is none. A word has
/// two letters at least and nothing else, so that it is no drive and no folder.
inline std::pair<std::string, std::string_view> split_form(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon < 2) {
    return {{}, text};
  }
  std::string word;
  for (const char c : text.substr(0, colon)) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (small < 'a' || small > 'z') {
      return {{}, text};
    }
    word += small;
  }
  return {word, text.substr(colon + 1)};
}

/// Whether the path ends with one of the endings (small letters), in any case.
inline bool has_ending(std::string_view path, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
    return path.size() > ending.size() &&
           std::equal(
               ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
               [](char e, char c) { return e == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c); });
  });
}

}  // namespace sluice
