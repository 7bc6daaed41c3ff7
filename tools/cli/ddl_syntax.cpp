#include "jobspec/words.h"
#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {
namespace {

class ddl_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("JOB", job_file_, "Job file; with --progress also the name of a data source");
    job_.describe(app);
    app.add_flag("--progress", progress_, "The tables of marks and claims in place of the job's own");
    app.add_option(
        "--progress-table", progress_table_,
        "Of a data source: the names that \"progressTable\" will say in the job's setting, such as "
        "ops.sluice");
    app.footer(
        "Both ends are looked at, nothing is changed. Lines that begin with -- name what is not made.\n"
        "Of a data source nothing is looked at: its tables of marks have the same form for every job.\n"
        "Exit codes: 0 the statements are printed, 1 the ends do not tell, 2 the job's text or the command "
        "line is wrong.");
  }
  [[nodiscard]] result<command> given() const override {
    ddl_arguments ddl;
    if (job_file_.empty()) {
      return usage(
          "the job file is missing: sluice ddl JOB, or sluice ddl --progress NAME for a data source");
    }
    ddl.job_file = job_file_;
    SLUICE_CHECK(job_.put_into(ddl));
    ddl.progress = progress_;
    ddl.progress_table = progress_table_;
    if (progress_table_ && !progress_) {
      return usage("--progress-table goes with --progress");
    }
    if (progress_table_ && lower(*progress_table_) == "none") {
      return usage(
          "--progress-table: found \"none\", which stands for no tables of marks at all; give the name "
          "that both tables begin with, such as \"ops.sluice\"");
    }
    return ddl;
  }

 private:
  std::string job_file_;
  job_flags job_;
  bool progress_ = false;
  std::optional<std::string> progress_table_;
};

}  // namespace

std::unique_ptr<command_syntax> ddl_syntax() {
  return std::make_unique<ddl_flags>();
}

}  // namespace sluice
