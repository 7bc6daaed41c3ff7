#pragma once

#include "transport/base/result.h"
#include "transport/base/secret.h"
#include "transport/base/stop.h"

namespace sluice {

/// Gives a secret that stands in clear; fails for one with references.
result<secret> plain_secret(const secret_text& written, const stop_signal& stop);

}  // namespace sluice
