#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/sqlite/sqlite_plugin.h"
#include "tests/conformance/plugin_fixture.h"
#include "transport/base/process.h"
#include "transport/base/sqlite.h"

namespace sluice::testing {

/// A SQLite file of a test, and what a run does to it.
class sqlite_test : public ::testing::Test {
 protected:
  /// Runs statements on the file as another program would.
  void sql(const std::string& statements);
  /// All rows of a query, each `value|value`, NULL as `<null>`, with SQLite's quote(), so that types are
  /// seen.
  std::vector<std::string> rows(const std::string& query);

  [[nodiscard]] std::string file() const { return folder_.file("a ü.db"); }
  /// `{"jdbcUrl": <the file>, <more>}`
  [[nodiscard]] std::string parameter(const std::string& more) const;

  std::unique_ptr<target> make_target(const std::string& more, dialect d = dialect::script2);
  error target_refused(const std::string& more, const schema& columns);
  error source_refused(const std::string& more);

  /// A target opened, claimed, frozen with `splits` splits and its steps run, as the engine does it.
  struct begun_run {
    std::unique_ptr<target> object;
    target_description description;
    run_row row;
    std::unique_ptr<writer> out;
  };
  begun_run begin(const std::string& more, const schema& columns, std::uint32_t splits = 1,
                  std::uint8_t run_number = 1);

  temporary_folder folder_;
};

field column_of(const std::string& name, data_type type);
claim_owner this_owner();
/// A row of the claim table for run `number`, held by this process.
run_row row_for(std::uint8_t number);
/// What the start that made the row would have asked.
run_query query_for(const run_row& row);
/// A mark of the whole: sequence 1, transaction `n`, everything written.
mark mark_of(const mark& opened, std::uint64_t transaction, std::uint64_t written, bool done);

}  // namespace sluice::testing
