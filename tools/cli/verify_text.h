#pragma once

#include <chrono>
#include <string>

#include "actors/verify/verify.h"

namespace sluice {

/// `equal`, `equal_to_run`, `equal_but_refused`, `different`, `planned`, `failed`.
std::string_view to_string(verify_report::verdict verdict);
/// What is compared and what equality would prove: told before any record is read.
std::string verify_plan_text(const verify_report& report, const std::string& job_name);
/// What came of it.
std::string verify_result_text(const verify_report& report);
/// The same in a line, with the first differences.
std::string verify_line(const verify_report& report);
/// All of it as one JSON object (docs/verify.md).
std::string verify_json(const verify_report& report, const std::string& job_name);

/// Which of the progress that a comparison tells is worth a line where there is no live area: one in ten
/// seconds. Calls one at a time.
class comparing_pace {
 public:
  bool is_due();

 private:
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

}  // namespace sluice
