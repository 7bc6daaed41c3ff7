#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {
namespace {

class params_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("JOB", job_file_, "Job file: script-mode 2.0 JSON or a DataX job");
    job_.describe(app);
    app.add_flag("--json", json_, "Print JSON");
  }
  [[nodiscard]] result<command> given() const override {
    params_arguments params;
    if (job_file_.empty()) {
      return usage("the job file is missing: sluice params JOB");
    }
    params.job_file = job_file_;
    params.json = json_;
    SLUICE_CHECK(job_.put_into(params));
    return params;
  }

 private:
  std::string job_file_;
  job_flags job_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<command_syntax> params_syntax() {
  return std::make_unique<params_flags>();
}

}  // namespace sluice
