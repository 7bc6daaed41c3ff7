#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {
namespace {

class verify_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("JOB", job_file_, "Job file");
    job_.describe(app);
    app.add_option(
           "--scope", scope_,
           "Which rows of the destination count: whole, where (those that the job's where chooses), keys "
           "(those with a key of the source) or counts (their number alone); without it what the job "
           "does to its destination decides")
        ->type_name("WHAT");
    app.add_option(
           "--key", key_,
           "Columns of the destination by which a record is known, with commas between; without it its "
           "primary key")
        ->type_name("COLUMNS");
    app.add_option("--max-differences", differences_max_, "How many records are named (100)")->type_name("N");
    app.add_option(
           "--against", against_,
           "run: a destination that is as the last run of the job has written it is equal, also where "
           "the source has changed since; source: it is not (run)")
        ->type_name("WHAT");
    app.add_flag("--read-back", read_back_,
                 "Read both ends also where the databases can compute the sums themselves");
    app.add_flag("--plan", plan_, "Say what would be compared, and read no record");
    app.add_option("--memory", memory_, "Budget, as for sluice run")->type_name("SIZE");
    app.add_option("--state-dir", state_dir_, "Folder of runs, as for sluice run")->type_name("DIR");
    app.add_flag("--no-progress", no_progress_, "Show no progress");
    app.add_flag("--json", json_, "Print JSON");
    app.footer(
        "Nothing is changed anywhere. Databases compute the sums where they can; else both ends are read, "
        "and "
        "read again where they differ.\n"
        "Exit codes: 0 equal, 1 different or not to be compared, 2 the job's text or the command line is "
        "wrong,\n"
        "143 stopped by a signal.");
  }
  [[nodiscard]] result<command> given() const override {
    verify_arguments verify;
    if (job_file_.empty()) {
      return usage("the job file is missing: sluice verify JOB");
    }
    verify.job_file = job_file_;
    SLUICE_CHECK(job_.put_into(verify));
    if (!scope_.empty()) {
      SLUICE_TRY(verify.scope, one_of<verify_scope>("--scope", scope_,
                                                    {{"whole", verify_scope::whole},
                                                     {"where", verify_scope::where},
                                                     {"keys", verify_scope::keys},
                                                     {"counts", verify_scope::counts}}));
    }
    for (std::size_t begin = 0; begin < key_.size();) {
      const std::size_t end = std::min(key_.find(',', begin), key_.size());
      verify.key.push_back(key_.substr(begin, end - begin));
      begin = end + 1;
    }
    if (!differences_max_.empty()) {
      SLUICE_TRY(verify.differences_max, limit_of("--max-differences", differences_max_));
      if (verify.differences_max == 0) {
        return usage("--max-differences is at least 1; found 0");
      }
    }
    if (!against_.empty()) {
      SLUICE_TRY(verify.against_source,
                 one_of<bool>("--against", against_, {{"run", false}, {"source", true}}));
    }
    SLUICE_TRY(verify.memory_bytes, memory_of(memory_));
    verify.state_dir = given_text(state_dir_);
    verify.read_back = read_back_;
    verify.plan = plan_;
    verify.no_progress = no_progress_;
    verify.json = json_;
    return verify;
  }

 private:
  std::string job_file_, scope_, key_, differences_max_, against_, memory_, state_dir_;
  job_flags job_;
  bool read_back_ = false, plan_ = false, no_progress_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<command_syntax> verify_syntax() {
  return std::make_unique<verify_flags>();
}

}  // namespace sluice
