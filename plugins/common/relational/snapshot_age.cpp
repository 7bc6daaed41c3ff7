#include "plugins/common/relational/snapshot_age.h"

#include "transport/base/units.h"

namespace sluice::relational {

option snapshot_age_option() {
  return {.name = "snapshotMax",
          .meaning =
              "How old the shared snapshot may become, such as `90min` or `2h`: then the run stops, "
              "and the same command goes on under a new one. `0`: as old as the run.",
          .default_text = "2h"};
}

result<std::chrono::milliseconds> snapshot_age_of(const option_values& values) {
  SLUICE_TRY(const auto age, values.text("snapshotMax"));
  const auto parsed = parse_duration(age.value_or("0"));
  return parsed ? result<std::chrono::milliseconds>(*parsed)
                : values.bad("snapshotMax", parsed.error().message);
}

}  // namespace sluice::relational
