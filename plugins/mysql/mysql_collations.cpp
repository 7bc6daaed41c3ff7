#include "plugins/mysql/mysql_collations.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Three answers of the server: whether the column's collation takes these for equal.
std::string question_about(const table_column& column) {
  const auto text = [&](std::string_view utf8_bytes) {
    return fmt::format("CONVERT(_utf8mb4 x'{}' USING {}) COLLATE {}", utf8_bytes, column.charset,
                       column.collation);
  };
  constexpr std::string_view a = "61";
  constexpr std::string_view capital_a = "41";
  constexpr std::string_view a_acute = "c3a1";
  constexpr std::string_view a_blank = "6120";
  return fmt::format("{0} = {1}, {0} = {2}, {0} = {3}", text(a), text(capital_a), text(a_acute),
                     text(a_blank));
}

std::string differences_text(const unseen_differences& unseen) {
  std::vector<std::string_view> parts;
  if (unseen.cases) {
    parts.emplace_back("in case");
  }
  if (unseen.accents) {
    parts.emplace_back("in accents");
  }
  if (unseen.blanks) {
    parts.emplace_back("in blanks at the end");
  }
  return fmt::format("{}", fmt::join(parts, " or "));
}

bool stands_in_unique_key(const table_info& table, const std::string& column) {
  return std::any_of(table.keys.begin(), table.keys.end(), [&](const table_key& key) {
    return key.unique && std::find(key.columns.begin(), key.columns.end(), column) != key.columns.end();
  });
}

}  // namespace

std::string_view collation_in(std::string_view own_type) {
  constexpr std::string_view word = " COLLATE ";
  const std::size_t at = own_type.find(word);
  return at == std::string_view::npos ? std::string_view() : own_type.substr(at + word.size());
}

unseen_differences unseen_by_name(std::string_view collation) {
  unseen_differences out;
  if (!collation.empty()) {
    out.cases = collation.ends_with("_ci");
    out.accents =
        has(collation, "_ai_") || (out.cases && (has(collation, "_general_") || has(collation, "_unicode_")));
    out.blanks = !has(collation, "_nopad_") && !has(collation, "_0900_") && collation != "binary";
  }
  return out;
}

result<collation_texts> texts_about_collations(connection& c, const table_info& table,
                                               const std::vector<written_text>& written, bool last_stays,
                                               const stop_signal& stop) {
  collation_texts out;
  for (const written_text& w : written) {
    const table_column& column = table.columns[w.column];
    if (column.kind.holds != held_as::text || column.collation.empty() ||
        column.collation == w.source_collation || !stands_in_unique_key(table, column.name)) {
      continue;
    }
    SLUICE_TRY(const auto rows, c.ask(fmt::format("SELECT {}", question_about(column)), stop));
    const auto equal = [&](std::size_t which) { return rows.at(0).at(which) == "1"; };
    const unseen_differences known = unseen_by_name(w.source_collation);
    // A text with a blank at its end is refused where the column would drop it.
    const unseen_differences unseen = {equal(0) && !known.cases, equal(1) && !known.accents,
                                       equal(2) && !known.blanks && !column.kind.drops_blanks};
    if (unseen.any()) {
      auto& to = unseen.cases || unseen.accents ? out.warnings : out.notes;
      to.push_back(fmt::format(
          "Rows whose texts in the key's column {} differ {} only are one row there, by its collation {}: "
          "the {} one written stays, and the others are gone; where the source has such, give the column a "
          "collation that tells them apart, such as {}.",
          in_quotes(column.name), differences_text(unseen), column.collation, last_stays ? "last" : "first",
          unseen.blanks ? (product_name(c.server()) == "mariadb" ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin")
                        : "utf8mb4_bin"));
    }
  }
  return out;
}

}  // namespace sluice::mysql
