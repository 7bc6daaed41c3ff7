#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plugins/api/progress.h"
#include "plugins/sqlite/sqlite_claim.h"
#include "plugins/sqlite/sqlite_connection.h"

namespace sluice::sqlite {

/// The tables `sluice_run` and `sluice_progress` in the destination file (docs/delivery.md).
class sqlite_progress : public progress_store {
 public:
  sqlite_progress(file_connection& connection, claim_state& claim) : connection_(connection), claim_(claim) {}

  [[nodiscard]] std::string tables() const override;
  result<std::vector<run_row>> runs_of(const run_query& query) override;
  result<void> make_tables() override;
  result<void> claim_new(const run_row& run) override;
  result<std::uint16_t> claim_again(const run_row& seen, const claim_owner& me) override;
  result<void> freeze(const run_id& run, const std::vector<progress_row>& splits) override;
  result<std::vector<progress_row>> load(const run_id& run) override;
  result<void> set_stage(const run_id& run, const std::string& stage) override;
  result<void> renew(const run_id& run) override;
  result<run_totals> finish(const run_id& run, const dirty_totals& dirty) override;
  result<void> release(const run_id& run) override;
  result<void> discard(const run_id& run) override;

  /// Whether both tables are there.
  result<bool> has_tables();
  /// How many columns `make_tables` will add, because they were made by an older program; 0 also where there
  /// are none.
  result<std::size_t> columns_to_add();

 private:
  /// `conflict` where a process that lives holds the run's claim, and it is not this target's own.
  result<void> check_not_held_elsewhere(database& db, const run_id& run) const;
  result<database*> existing() { return connection_.get(open_mode::read_write); }

  file_connection& connection_;
  claim_state& claim_;
};

}  // namespace sluice::sqlite
