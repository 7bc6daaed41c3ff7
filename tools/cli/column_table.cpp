#include "tools/cli/column_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/cli/end_report.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// `price decimal(10,2), DOUBLE at the source`.
std::string field_text(const field& f) {
  std::string type = to_string(f.type);
  if (!f.source_type_name.empty()) {
    type += fmt::format(" ({})", escaped(f.source_type_name));
  }
  return f.name.empty() ? type : fmt::format("{} {}", escaped(f.name), type);
}

std::string remark_of(const column_pair& pair) {
  if (pair.kind == conversion_kind::refused) {
    return pair.problem;
  }
  std::string out = pair.rule;
  if (!pair.zone.empty()) {
    out += fmt::format(" (in {})", pair.zone);
  }
  if (!pair.changes.empty()) {
    out += fmt::format("{}as DataX does it, counted: {}", out.empty() ? "" : "; ", pair.changes);
  }
  if (!pair.dirty_where.empty()) {
    out += fmt::format("{}dirty: {}", out.empty() ? "" : "; ", pair.dirty_where);
  }
  return out;
}

}  // namespace

std::string column_table(const std::vector<column_pair>& pairs) {
  std::vector<std::vector<std::string>> rows = {{"", "from", "to", "", ""}};
  for (const column_pair& pair : pairs) {
    rows.push_back({std::to_string(pair.index), field_text(pair.from), field_text(pair.to),
                    std::string(plan_word(pair)), remark_of(pair)});
  }
  std::string out;
  for (std::string& line : aligned(rows, {true, false, false, false, false})) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += "  " + line + "\n";
  }
  return out;
}

nlohmann::ordered_json columns_json(const std::vector<column_pair>& pairs) {
  auto all = nlohmann::ordered_json::array();
  for (const column_pair& pair : pairs) {
    nlohmann::ordered_json one = {{"index", pair.index},
                                  {"from", pair.from.name},
                                  {"from_type", to_string(pair.from.type)},
                                  {"to", pair.to.name},
                                  {"to_type", to_string(pair.to.type)},
                                  {"word", plan_word(pair)},
                                  {"rule", pair.rule},
                                  {"dirty_where", pair.dirty_where}};
    if (!pair.changes.empty()) {
      one["changes"] = pair.changes;
    }
    if (!pair.zone.empty()) {
      one["zone"] = pair.zone;
    }
    if (!pair.problem.empty()) {
      one["problem"] = pair.problem;
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::string column_counts(const std::vector<column_pair>& pairs) {
  std::string out;
  for (const std::string_view word : {"exact", "checked", "refused"}) {
    const auto n =
        std::count_if(pairs.begin(), pairs.end(), [&](const column_pair& p) { return plan_word(p) == word; });
    if (n != 0) {
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", n, word);
    }
  }
  return out;
}

}  // namespace sluice
