#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {
namespace {

class check_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("JOB", jobs_, "Job files, and folders whose *.json files are all checked");
    job_.describe(app);
    app.add_flag("--offline", offline_, "Check the jobs' text only: open neither end");
    app.add_flag("--json", json_, "Print JSON");
    app.footer(
        "Nothing is changed anywhere.\n"
        "Exit codes: 0 all jobs run, 1 one is not supported or does not fit its ends, 2 the text of one is "
        "wrong.");
  }
  [[nodiscard]] result<command> given() const override {
    check_arguments check;
    if (jobs_.empty()) {
      return usage("the job is missing: sluice check JOB…, or sluice check DIR");
    }
    check.jobs = jobs_;
    SLUICE_CHECK(job_.put_into(check));
    check.offline = offline_;
    check.json = json_;
    return check;
  }

 private:
  std::vector<std::string> jobs_;
  job_flags job_;
  bool offline_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<command_syntax> check_syntax() {
  return std::make_unique<check_flags>();
}

}  // namespace sluice
