#pragma once

#include "jobspec/job.h"
#include "transport/record/scalar.h"

namespace sluice {

/// The code of a start that is refused because the addresses of the ends are others than those of an
/// unfinished run.
inline constexpr const char* other_ends_code = "other_ends";

/// The digests as a run's row keeps them among its key parts, by which a start knows a run that differs in
/// addresses alone (docs/decisions/103-same-ends.md).
scalar_list ends_parts(const job_ends_digests& ends);

}  // namespace sluice
