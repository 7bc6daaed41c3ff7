#pragma once

#include <string>
#include <vector>

#include "plugins/api/sums_in_database.h"
#include "plugins/common/relational/sql_session.h"

namespace sluice::relational {

/// The text of NULL in `sql/1`, with which no value begins.
inline constexpr const char* sql_null = "~";

/// What a SELECT has found: the number of records, of those with a sum, and the sums of the two halves of
/// their MD5, signed or not. `not_supported` where a record has no sum.
result<database_sums> sums_of(const sql_row& found, const std::string& place);

/// A decimal number modulo 2^64; `internal` where the text is none.
result<std::uint64_t> modulo_64(const std::string& text);

}  // namespace sluice::relational
