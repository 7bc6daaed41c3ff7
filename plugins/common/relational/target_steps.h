#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/common/relational/relational_options.h"

namespace sluice::relational {

/// Of `update` and `replace`, for the plan.
inline constexpr std::string_view last_one_wins =
    "Of records with the same key in one split the last one wins; across splits the order is not defined.";

/// Statements that run around the data of one table: preSql, the one that makes the table, postSql. In order,
/// the same for every run of the job: whether a resume comes to a table that is there changes nothing. Owned
/// by a target, used by its thread.
class target_steps {
 public:
  struct step {
    std::string sql;
    std::string place;  ///< In the job file, for messages.
    bool is_create = false;
  };
  /// Whether a statement may run again after a crash that left open whether it ran (delivery.md).
  using repeat_rule = bool (*)(std::string_view sql);

  /// `pre_sql` and `post_sql` have their tables' names (`with_table`). `table` is the destination.
  target_steps(std::vector<placed_text> pre_sql, std::vector<placed_text> post_sql,
               std::vector<name_part> table, const sql_rules& rules, repeat_rule may_repeat)
      : pre_sql_(std::move(pre_sql)),
        post_sql_(std::move(post_sql)),
        table_(std::move(table)),
        rules_(rules),
        may_repeat_(may_repeat) {}
  /// `createTable`, which stands at `place`.
  void create_table(std::string place);

  /// The table is made before preSql runs, which may need it; else behind it, because preSql itself makes it
  /// or takes it away, so that it is made (again) where it is missing.
  [[nodiscard]] bool creates_first() const;
  [[nodiscard]] bool creates_last() const;
  /// A statement that makes or changes tables stands in preSql and has not run yet.
  [[nodiscard]] bool table_comes_later() const;
  /// A statement of preSql is not seen to leave all rows alone: SET, SHOW, ANALYZE, or SELECT, without
  /// anything that calls a function or reads a view.
  [[nodiscard]] bool may_change_rows() const;
  /// preSql removes what stands in the table.
  [[nodiscard]] bool empties() const;
  /// `preSql will run: …`, for `target_description::changes`.
  [[nodiscard]] std::vector<std::string> announcements() const;
  /// For `target_description::run_again`. `has_key`: the job maps a key of the table's; nothing: not known.
  [[nodiscard]] std::string run_again_text(write_mode mode, std::optional<bool> has_key) const;

  [[nodiscard]] const std::vector<placed_text>& pre_sql() const { return pre_sql_; }
  [[nodiscard]] const std::vector<placed_text>& post_sql() const { return post_sql_; }
  /// All steps before the data; `create_sql` makes the table.
  [[nodiscard]] std::vector<step> before(const std::string& create_sql) const;
  /// As `target::steps_before` shows them. `table_there`: it was when the target was opened.
  [[nodiscard]] std::vector<target_step> shown_before(const std::string& create_sql, bool table_there) const;
  [[nodiscard]] std::vector<target_step> shown_after() const;
  /// The step of that index of `before` has run.
  void done_before(std::size_t index);

 private:
  template <class Is>
  [[nodiscard]] bool any_before(const Is& is) const;

  std::vector<placed_text> pre_sql_;
  std::vector<placed_text> post_sql_;
  std::vector<name_part> table_;
  sql_rules rules_;
  repeat_rule may_repeat_;
  std::optional<std::string> create_place_;
  std::size_t pre_sql_run_ = 0;
};

/// `target_description::same_again`. `has_key` as above.
bool is_same_again(write_mode mode, std::optional<bool> has_key);

}  // namespace sluice::relational
