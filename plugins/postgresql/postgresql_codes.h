#pragma once

#include <string_view>

#include "transport/base/error.h"

namespace sluice::postgresql {

/// What a SQLSTATE means to the engine. `kind` is `bad_row` where the row at hand can be blamed.
struct code_meaning {
  std::string_view code;  ///< Five characters, or two: the whole class.
  error_kind kind = error_kind::internal;
  std::string_view advice = {};  ///< What to do, a clause without a full stop; may be empty.
};

/// The meaning of a SQLSTATE (errcodes-appendix.html): of its class where it has no row of its own.
code_meaning meaning_of(std::string_view sqlstate);

/// The SQLSTATE in a failed connection's message, which libpq gives as text only: `FATAL:  28P01: password
/// …` with PQERRORS_VERBOSE. Empty where it came from libpq itself.
std::string_view sqlstate_in(std::string_view message);

/// What a failed connection means where no SQLSTATE tells: by libpq's words.
code_meaning meaning_of_connect_failure(std::string_view message);

}  // namespace sluice::postgresql
