#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/progress.h"
#include "plugins/common/sqlite/sqlite_session.h"

namespace sluice {

/// A part of a split's output, as far as the split's mark covers it.
struct marked_file {
  std::uint32_t part = 0;        ///< In the split, from 0.
  std::string name;              ///< Of the temporary file, without its folder.
  std::uint64_t bytes = 0;       ///< Of the file; durable before the mark that covers them.
  std::uint64_t text_bytes = 0;  ///< Before compression, the heading included.
  std::uint64_t records = 0;
  bool whole = false;  ///< Nothing comes behind it.
  friend bool operator==(const marked_file&, const marked_file&) = default;
};

/// The marks of one writer, on a connection of its own. Used by the writer's thread, and `interrupt` by any.
class split_marks {
 public:
  split_marks(std::string file, std::shared_ptr<relational::claim_state> claim);

  struct opened {
    mark at;
    std::vector<marked_file> files;  ///< By part.
  };
  /// `open` of delivery.md, with what of the split's files its mark covers. `conflict` where a newer epoch is
  /// there, or no file is known that has what the mark covers.
  result<opened> open(split_index split, epoch_number epoch, const stop_signal& stop);
  /// Gives a part that is recorded its file in this epoch; `conflict` as `open`.
  result<void> move(const marked_file& file, const stop_signal& stop);
  /// The mark, with the files that changed since the last one, in one transaction.
  result<void> commit(const mark& m, const std::vector<marked_file>& changed, const stop_signal& stop);
  void interrupt();

 private:
  result<void> record(sqlite::sqlite_session& session, const marked_file& file);
  /// Runs `work` in a transaction that only the split's owner can commit.
  template <class Work>
  result<void> as_owner(std::uint64_t transaction, const stop_signal& stop, const Work& work);

  sqlite::file_connection connection_;
  std::shared_ptr<relational::claim_state> claim_;
  relational::progress_dialect dialect_;
  split_index split_;
  epoch_number epoch_;
  std::uint64_t transaction_ = 0;
};

/// Claims and marks of runs whose output is files: the SQLite file `.sluice-progress.db` in the folder that
/// they write to, with a third table beside those of every destination, `sluice_file`, which says how many
/// bytes of which temporary file a mark covers. It goes with the last run that it must tell of: one that is
/// not done, or was done for a planned time that was given. A claim there is held as long as its process
/// lives. Owned and called by the target's thread.
class output_marks final {
 public:
  explicit output_marks(std::string folder);

  [[nodiscard]] const std::string& file() const { return connection_.file; }
  /// Connects where the file is there: nothing is made. Called before the rest.
  result<void> look(const stop_signal& stop);
  [[nodiscard]] bool exists() const { return connection_.db.has_value(); }
  [[nodiscard]] progress_store& progress() { return progress_; }
  struct output_run {
    run_id run;
    bool done = false;
  };
  /// The runs known that write, or have written, to that output (`target_description::output`), whatever
  /// job's.
  result<std::vector<output_run>> runs_into(const std::string& output);
  /// What of the run's files its marks cover, of each split by part. `conflict` (`begin_anew_code`) where a
  /// mark covers rows and no file is known that has them.
  result<std::map<split_index, std::vector<marked_file>>> files_of(const run_id& run);
  /// From here on a file of the run may have its final name, and not the temporary one.
  result<void> begin_naming(const run_id& run);
  result<bool> naming_begun(const run_id& run);
  [[nodiscard]] std::unique_ptr<split_marks> make_writer_marks() const {
    return std::make_unique<split_marks>(connection_.file, claim_);
  }
  void interrupt() { connection_.interrupt(); }

 private:
  /// Makes the folder where the file is to be made.
  class home : public sqlite::sqlite_home {
   public:
    explicit home(output_marks& of) : sqlite_home(of.connection_), of_(of) {}
    result<relational::sql_session*> session(bool makes) override;

   private:
    output_marks& of_;
  };
  /// Temporary files go with their marks.
  class store : public relational::relational_progress {
   public:
    explicit store(output_marks& of) : relational_progress(of.home_, of.dialect_, *of.claim_), of_(of) {}
    /// Which no statement makes beforehand: the file is not there.
    [[nodiscard]] std::vector<std::string> tables_sql() const override { return {}; }
    /// Of a job whose output has the day in its name each day has a claim of its own: what is kept as the
    /// job's key is that of job and output.
    result<std::vector<run_row>> runs_of(const run_query& query) override;
    result<void> make_tables() override;
    result<void> claim_new(const run_row& run) override;
    result<std::uint16_t> claim_again(const run_row& seen, const claim_owner& me) override;
    result<run_totals> finish(const run_id& run, const dirty_totals& dirty) override;
    result<void> release(const run_id& run) override;
    result<void> discard(const run_id& run) override;

   private:
    result<void> forget_files(const run_id& run);
    output_marks& of_;
  };

  /// Which file the name leads to now; 0 where to none.
  [[nodiscard]] std::uint64_t file_number() const;
  /// `busy` where another run that ended has just removed the file.
  [[nodiscard]] result<void> unless_removed(result<void> done) const;
  /// Removes the file where it need not tell of any run. What stands in the way is no failure of the run's.
  void remove_unneeded();

  std::string folder_;
  sqlite::file_connection connection_;
  std::uint64_t opened_ = 0;  ///< `file_number` of the connection.
  std::shared_ptr<relational::claim_state> claim_ = std::make_shared<relational::claim_state>();
  relational::progress_dialect dialect_;
  home home_;
  store progress_;
};

}  // namespace sluice
