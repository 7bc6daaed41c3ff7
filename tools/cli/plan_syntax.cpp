#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {
namespace {

class plan_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("JOB", job_file_, "Job file");
    job_.describe(app);
    app.add_option("--memory", memory_, "Budget of the run, as for sluice run")->type_name("SIZE");
    app.add_option("--on-unfinished", on_unfinished_, "As for sluice run: resume, fail or fresh")
        ->type_name("WHAT");
    app.add_flag("--json", json_, "Print JSON");
    app.footer(
        "Nothing is changed anywhere. Where splits are found by a pass over a file, the plan makes it.\n"
        "Exit codes: 0 the job can run, 1 it cannot, 2 the job's text or the command line is wrong.");
  }
  [[nodiscard]] result<command> given() const override {
    plan_arguments plan;
    if (job_file_.empty()) {
      return usage("the job file is missing: sluice plan JOB");
    }
    plan.job_file = job_file_;
    SLUICE_CHECK(job_.put_into(plan));
    SLUICE_TRY(plan.memory_bytes, memory_of(memory_));
    SLUICE_TRY(plan.on_unfinished, on_unfinished_of(on_unfinished_));
    plan.json = json_;
    return plan;
  }

 private:
  std::string job_file_, memory_, on_unfinished_;
  job_flags job_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<command_syntax> plan_syntax() {
  return std::make_unique<plan_flags>();
}

}  // namespace sluice
