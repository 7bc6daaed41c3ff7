#include "plugins/common/relational/target_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "transport/base/text.h"

namespace sluice::relational {
namespace {

constexpr auto making_words = std::to_array<std::string_view>({"CREATE", "ALTER", "DROP", "RENAME"});
constexpr auto harmless_words = std::to_array<std::string_view>({"SET", "SHOW", "ANALYZE", "SELECT"});
/// With these they may reach further: they run another statement (SET STATEMENT … FOR, ANALYZE DELETE, both
/// of MariaDB), write another table, or read a view, which may call functions.
constexpr auto reaching_words = std::to_array<std::string_view>(
    {"STATEMENT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "INTO", "FROM"});
constexpr auto removing_words = std::to_array<std::string_view>({"DELETE", "DROP", "TRUNCATE"});

template <class Words>
bool begins_with_any(std::string_view sql, const Words& words, const sql_rules& rules) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return begins_with_word(sql, w, rules); });
}

/// Whether a statement changes no row, whatever functions, views and triggers there are.
bool leaves_rows_alone(const std::vector<sql_token>& statement) {
  const auto is_any = [](const sql_token& token, const auto& words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return is_word(token, w); });
  };
  // Brackets may call a function; behind ANALYZE they hold columns.
  const bool calls = !is_word(statement.front(), "ANALYZE");
  return is_any(statement.front(), harmless_words) &&
         std::none_of(statement.begin(), statement.end(), [&](const sql_token& token) {
           return (calls && token.text == "(") || is_any(token, reaching_words);
         });
}

/// What the same job does to the rows, preSql left out.
std::string rows_again_text(write_mode mode, std::optional<bool> has_key) {
  constexpr std::string_view same =
      ": the table is the same afterwards, unless several splits have records of the same key";
  constexpr std::string_view maybe =
      ": the table is the same afterwards where it has a key and no two splits have records of the same one, "
      "and doubled where it has none";
  const std::string_view afterwards = has_key == true ? same : maybe;
  switch (mode) {
    case write_mode::insert:
    case write_mode::copy:
      return !has_key   ? "all rows are inserted once more: doubled, or dirty where a unique key refuses them"
             : *has_key ? "all rows are inserted once more, and those whose key is there already are dirty"
                        : "all rows are inserted once more: doubled";
    case write_mode::replace:
      return fmt::format("rows with the same key are replaced{}", afterwards);
    case write_mode::update:
      return fmt::format("rows with the same key are updated with the same values, others are inserted{}",
                         afterwards);
    case write_mode::ignore:
      return fmt::format("rows whose key is there already are left out and counted as ignored{}",
                         has_key == true ? "" : "; without a key all are inserted once more");
  }
  return "";
}

}  // namespace

template <class Is>
bool target_steps::any_before(const Is& is) const {
  return std::any_of(pre_sql_.begin(), pre_sql_.end(), [&](const placed_text& sql) { return is(sql.text); });
}

void target_steps::create_table(std::string place) {
  create_place_ = std::move(place);
}

bool target_steps::creates_first() const {
  return create_place_ &&
         !any_before([&](const std::string& sql) { return makes_table(sql, table_, rules_); });
}

bool target_steps::creates_last() const {
  return create_place_ && any_before([&](const std::string& sql) {
           return makes_table(sql, table_, rules_) || drops_table(sql, table_, rules_);
         });
}

bool target_steps::table_comes_later() const {
  return std::any_of(pre_sql_.begin() + static_cast<std::ptrdiff_t>(std::min(pre_sql_run_, pre_sql_.size())),
                     pre_sql_.end(),
                     [&](const placed_text& sql) { return begins_with_any(sql.text, making_words, rules_); });
}

bool target_steps::may_change_rows() const {
  return any_before([&](const std::string& sql) {
    const auto statements = statements_of(sql, rules_);
    return !std::all_of(statements.begin(), statements.end(), leaves_rows_alone);
  });
}

bool target_steps::empties() const {
  return any_before([&](const std::string& sql) { return empties_table(sql, table_, rules_); });
}

std::vector<std::string> target_steps::announcements() const {
  std::vector<std::string> texts;
  for (const placed_text& sql : pre_sql_) {
    texts.push_back(fmt::format("preSql will run: {}", statement_text(sql.text)));
  }
  return texts;
}

bool is_same_again(write_mode mode, std::optional<bool> has_key) {
  return has_key == true && mode != write_mode::insert && mode != write_mode::copy;
}

std::string target_steps::run_again_text(write_mode mode, std::optional<bool> has_key) const {
  if (empties()) {
    return "preSql runs again first and empties the table, then all rows are written anew";
  }
  const std::string text = rows_again_text(mode, has_key);
  if (any_before([&](const std::string& sql) { return begins_with_any(sql, removing_words, rules_); })) {
    return fmt::format("preSql runs again first and takes rows away; beside those that it leaves {}", text);
  }
  return pre_sql_.empty() ? text : fmt::format("preSql runs again first, then {}", text);
}

std::vector<target_steps::step> target_steps::before(const std::string& create_sql) const {
  std::vector<step> steps;
  if (creates_first()) {
    steps.push_back({create_sql, *create_place_, true});
  }
  for (const placed_text& sql : pre_sql_) {
    steps.push_back({sql.text, sql.place, false});
  }
  if (creates_last()) {
    steps.push_back({create_sql, *create_place_, true});
  }
  return steps;
}

std::vector<target_step> target_steps::shown_before(const std::string& create_sql, bool table_there) const {
  std::vector<target_step> steps;
  for (const step& s : before(create_sql)) {
    const bool sure = !s.is_create || (!table_there && s.sql.starts_with("CREATE"));
    steps.push_back(
        {sure ? s.sql : "create the table where it is missing", s.is_create || may_repeat_(s.sql)});
  }
  return steps;
}

std::vector<target_step> target_steps::shown_after() const {
  std::vector<target_step> steps;
  for (const placed_text& sql : post_sql_) {
    steps.push_back({sql.text, may_repeat_(sql.text)});
  }
  return steps;
}

void target_steps::done_before(std::size_t index) {
  const std::size_t first = creates_first() ? 1 : 0;
  pre_sql_run_ = std::max(pre_sql_run_, std::min(pre_sql_.size(), index + 1 - first));
}

}  // namespace sluice::relational
