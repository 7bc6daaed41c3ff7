#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/source.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_options.h"
#include "plugins/postgresql/postgresql_read_plan.h"

namespace sluice::postgresql {

/// The server's own estimate of a statement. Of another product than PostgreSQL, whose costs may be of
/// another scale, the cost is made of the rows, and all is 0 where it explains in other words.
struct explained {
  double cost = 0;
  double rows = 0;
  bool multiplies = false;  ///< A row of a table can give several.
  bool sorts = false;
};
result<explained> explain(connection& c, const std::string& sql);

/// A function called in one of the expressions and conditions that is VOLATILE, so that it may answer
/// otherwise where rows are read by parts, in sessions of their own: why the table is one split then. What
/// gives each row a value that no other row's depends on (random, clock_timestamp, uuids) does not count, as
/// long as no `setseed` stands in `session`. Nothing where none is.
result<std::optional<std::string>> volatile_call(connection& c, const std::vector<std::string>& texts,
                                                 const std::vector<relational::placed_text>& session);

/// Does `look` without keeping the lock that it takes: the transaction may last as long as the run.
template <class Look>
result<void> looking(connection& c, const Look& look) {
  const bool inside = c.in_transaction();
  if (inside) {
    SLUICE_CHECK(c.run_script("SAVEPOINT sluice_look"));
  }
  SLUICE_CHECK(look());
  if (inside) {
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_look; RELEASE SAVEPOINT sluice_look"));
  }
  return {};
}

/// Decides by what each table of a job is split and in what order it is read, by what the server says of it.
/// Owned by the source, whose options outlive it; used by its thread. Looks into a bounded number of a
/// table's pages, whatever its size.
class split_planner {
 public:
  split_planner(const source_options& options, const option_values& values, const plugin_context& context)
      : options_(options),
        values_(values),
        warn_(context.warn),
        strict_(context.strict),
        several_pipelines_(context.pipelines != 1) {}

  /// By what it is split, from the catalogue. `joins`: what of the job joins rows, so that reading by parts
  /// would change the result; `calls`: as `volatile_call`. `bad_option` for a `splitPk` that is none.
  result<void> choose_key(connection& c, const table_info& table, const std::optional<std::string>& joins,
                          const std::optional<std::string>& calls, relation_plan& relation) const;
  /// What reading it costs, whether in the order of its key, and a sample of the key that it is split by.
  result<void> look(connection& c, const read_plan& plan, relation_plan& relation) const;
  /// For the plan: how each table is split and why, or by what it could be.
  [[nodiscard]] std::vector<std::string> notes(const read_plan& plan) const;

  /// Into how many splits each relation goes where so many pipelines work.
  [[nodiscard]] std::vector<std::uint32_t> ranges_of_each(const read_plan& plan,
                                                          std::uint32_t pipelines) const;
  /// The splits of one; warns of a `splitPk` whose ranges read too much, or of which one outlasts the others.
  result<std::vector<split>> splits_of(connection& c, const read_plan& plan, const relation_plan& relation,
                                       std::uint32_t ranges) const;

 private:
  result<void> choose_split_pk(connection& c, const table_info& table, relation_plan& relation) const;
  /// `one_split`: why it must be, where that is known.
  result<void> choose_automatic(connection& c, const table_info& table, const std::string& one_split,
                                relation_plan& relation) const;
  [[nodiscard]] std::string how_split(const relation_plan& relation) const;
  result<void> check_ranges(connection& c, const read_plan& plan, const relation_plan& relation,
                            const std::vector<split>& ranges) const;

  const source_options& options_;
  const option_values& values_;
  std::function<void(std::string)> warn_;
  bool strict_ = false;
  bool several_pipelines_ = true;  ///< Or how many is not known.
};

}  // namespace sluice::postgresql
