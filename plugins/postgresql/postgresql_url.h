#pragma once

#include "plugins/common/relational/url_properties.h"

namespace sluice::postgresql {

/// Addresses of PostgreSQL and what each property that its driver knows does here: pgJDBC 42
/// (https://jdbc.postgresql.org/documentation/use/) and the names of libpq that people write there. Static
/// lifetime.
const relational::url_dialect& url_dialect();

}  // namespace sluice::postgresql
