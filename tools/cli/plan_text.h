#pragma once

#include <string>

#include "actors/supervise/look.h"
#include "jobspec/job.h"

namespace sluice {

/// What a plan is made of. References outlive the call they are given to.
struct plan_view {
  const job& what;
  const job_look& look;
  std::string zone;    ///< `Europe/Berlin (--timezone)`.
  std::string memory;  ///< `160 MiB (default)`.
};

/// The plan for people. Secrets are not masked yet.
std::string plan_text(const plan_view& view);
/// The same as JSON (docs/plan.md).
std::string plan_json(const plan_view& view);

}  // namespace sluice
