#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/supervise/look.h"
#include "actors/supervise/make_ends.h"
#include "actors/verify/differences.h"
#include "actors/verify/row_readings.h"
#include "actors/verify/summed_ends.h"
#include "actors/verify/verify.h"
#include "actors/verify/written_rows.h"
#include "plugins/api/plugin.h"
#include "plugins/api/read_back.h"

namespace sluice {

/// Everything of one call of `verify_job`, by one thread: what is compared and how (verification_plan.cpp),
/// the comparison (verify.cpp), the names of what differs (verification_naming.cpp).
class verification {
 public:
  verification(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
               const verify_settings& settings, verify_observer& observer, const stop_signal& stop)
      : what_(what),
        reader_plugin_(reader_plugin),
        writer_plugin_(writer_plugin),
        settings_(settings),
        observer_(observer),
        stop_(stop) {}

  verify_report run() {
    if (auto done = verify(); !done) {
      report_.what = verify_report::verdict::failed;
      report_.failure = std::move(done).error();
    }
    return std::move(report_);
  }

 private:
  result<void> verify() {
    SLUICE_CHECK(look());
    SLUICE_CHECK(choose_reading());
    SLUICE_CHECK(choose_columns());
    SLUICE_CHECK(choose_key());
    say_what_it_proves();
    choose_sums();
    observer_.planned(report_);
    if (settings_.plan_only) {
      report_.what = verify_report::verdict::planned;
      return {};
    }
    return compare();
  }

  result<void> look();
  result<void> choose_reading();
  /// The job that reads the destination again, and what its source says of itself.
  result<void> open_reading_back(verify_scope scope);
  result<void> choose_columns();
  result<void> compare_texts();
  result<void> choose_key();
  void say_what_it_proves();
  /// Whether the databases can compute the sums, and in which forms.
  void choose_sums();
  result<summed_ends> sums_agreed();
  /// Of what is read at both ends.
  [[nodiscard]] bool differs_at_all() const {
    return report_.missing + report_.extra + report_.different + report_.changed_since +
               report_.source.refused + report_.destination.refused !=
           0;
  }
  /// Whether the sum of a reading is compared with that of the run before: one in its form can be had.
  [[nodiscard]] bool sums_are_runs() const;
  [[nodiscard]] bool stands_as_written() const;
  /// Of what the run has written, all stands there.
  [[nodiscard]] bool all_stands() const { return report_.gone == std::uint64_t{0}; }
  /// Says so; false.
  bool reads_all(const std::string& why);
  void take_sums(const bisection& found);
  /// True: they are equal, and all is said. Else both ends are read: `apart_` where not all of them.
  result<bool> compare_in_databases();
  result<void> compare();
  /// Reads the destination whole: for its sum, or for whether each record that the run has written stands.
  result<void> look_at_destination();
  result<void> look_at_own_bytes();
  /// What the run has kept of what it wrote, where that is of the form in which the ends are compared.
  void know_written();
  /// How many records that the run has written do not stand there; `there`: of these the destination has so
  /// many, by row.
  result<void> count_gone(const row_tally& there, const std::shared_ptr<const compared_columns>& by_row);
  /// Both differ: learns of the destination what tells whether the run has left it so.
  result<void> learn_of_run();
  void restrict_to(job& reading, const plugin& of, const std::string& condition) const;
  /// `setting.verify`: true where the destination is as its run has written it, and all is said.
  result<bool> compare_with_run();
  /// Reads the ranges whose sums differ. False: they were equal by then, so that nothing is known.
  result<bool> compare_ranges();
  result<void> compare_whole();
  /// Reads each side into counts and sums.
  result<run_summary> tally();
  /// Finds what differs of what was counted. `there`: of the destination.
  result<void> compare_heaps(const row_tally& there);
  result<void> find_differences(std::vector<bool> differ);
  result<void> name_differences(const std::vector<key_difference>& found);
  void judge();

  [[nodiscard]] end_settings ends_given() const;
  [[nodiscard]] bool names_alike() const;
  [[nodiscard]] std::string record_text(const fetch_reading::record& r) const;

  /// The values of its key, or all, as one text that is another for each record.
  [[nodiscard]] std::string identity_of(const fetch_reading::record& r) const;
  void know_refused(const fetch_reading& at_source);
  std::string take_refusal(const fetch_reading::record* r);

  /// Of records that are gathered at a time.
  [[nodiscard]] std::uint64_t room_to_gather() const;

  enum class side { source, destination };
  /// `by`: how records are compared; nullptr: as everywhere.
  result<run_summary> read(side which, std::shared_ptr<row_reading> into,
                           std::shared_ptr<const compared_columns> by = nullptr);
  result<run_summary> read_into(side which, std::shared_ptr<target> to);

  const job& what_;
  const plugin& reader_plugin_;
  const plugin& writer_plugin_;
  const verify_settings& settings_;
  verify_observer& observer_;
  const stop_signal& stop_;

  verify_report report_;
  job_look look_;
  bool empties_ = false;
  job from_;  // reads the source
  job back_;  // reads the destination
  read_back how_;
  source_description back_columns_;
  std::shared_ptr<source> back_end_;  // the destination, open, until it is known how it is compared
  std::optional<summed_ends> sums_;
  /// What the databases have found of ranges, where that says what is to be read, and is not all.
  std::optional<bisection> apart_;
  std::pair<std::string, std::string> conditions_;  // of these ranges, at the source and at the destination
  schema_ptr written_;                              // the columns that the job writes
  std::shared_ptr<compared_columns> by_ = std::make_shared<compared_columns>();       // of the source
  std::shared_ptr<compared_columns> back_by_ = std::make_shared<compared_columns>();  // of the destination
  std::optional<key_set> keys_;  // of the source, where rows of others stand at the destination
  std::shared_ptr<tally_reading> source_, destination_;
  std::uint64_t destination_rows_ = 0;  // those of others too
  /// Columns that travel in their product's own bytes when the job is run; empty: none.
  std::vector<bool> own_;
  std::optional<written_rows> rows_;  // by the run before
  /// Records and sum of the whole destination in the form of the run's sums, once they are known.
  std::optional<std::pair<std::uint64_t, row_sum>> stands_;
  struct refusals {
    std::string code;
    std::uint64_t times = 0;
  };
  std::unordered_map<std::string, std::vector<refusals>> refused_;  // by `identity_of`, of what is named
  unsigned readings_ = 0;
};

}  // namespace sluice
